import { link, readFile, readdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  FinalizeResponse_Step as Step,
  Phase,
  PieceAnswer_Outcome as Outcome,
  PieceSet,
} from "@qbit-sidecars/qbsync-protocol";
import { type MadeTorrent, makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { TestDestination } from "./test-destination.ts";
import { layoutOf, TestSource } from "./test-source.ts";

vi.setConfig({ testTimeout: 60_000 });

const isLong = process.env["QBIT_SIDECARS_LONG"] === "1";
const rounds = isLong ? 50 : 2;
const seed = Number(process.env["QBIT_SIDECARS_SEED"] ?? 1);

/** The same numbers for the same seed (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const shapeOf = (round: number): MadeTorrent =>
  makeTorrent({
    version: (["v1", "hybrid", "v2"] as const)[round % 3]!,
    name: `round ${round}`,
    seed: round,
    pieceLength: 16_384 * 2 ** (round % 4),
    files: [
      { path: "a.bin", size: 900_000 + round },
      { path: "b/c.bin", size: 333_333 },
      { path: "b/empty", size: 0 },
      { path: "b/d.bin", size: 777_777 },
      ...Array.from({ length: 20 }, (_, index) => ({ path: `small/${index}`, size: 3000 + index })),
    ],
  });

async function isWhole(folder: string, made: MadeTorrent): Promise<boolean> {
  for (const { path, content } of made.files)
    if (!(await readFile(join(folder, path))).equals(content())) return false;
  return true;
}

/** Sends what is needed, in an order of its own, until the connection breaks. */
async function sendNeeded(source: TestSource, made: MadeTorrent, random: () => number): Promise<void> {
  await source.mustOpen(made);
  const state = await source.whenNotPaused(made.torrentId);
  const needed = [...PieceSet.fromBytes(state.needed, state.pieceCount)];
  const order = needed.map((piece) => [random(), piece] as const).toSorted(([a], [b]) => a - b);
  for (const [, piece] of order) {
    if (source.broken) return;
    await source.send(made, piece, { chunkBytes: 10_000 });
  }
  await waitFor(
    () => source.broken ?? needed.every((piece) => source.all(made, piece).includes(Outcome.DURABLE)),
    {
      what: "all answers",
      timeoutMs: 20_000,
    },
  );
}

describe("kill -9", () => {
  test(
    `in the midst of transfer and finalize, ${rounds} times: nothing durable is lost, and the torrent ends whole`,
    { timeout: 60_000 + rounds * 30_000 },
    async () => {
      const random = randomFrom(seed);
      let resent = 0;
      let rehashed = 0;
      let sizes = 0;
      let kills = 0;
      const lost: number[] = [];
      await using data = await tempDir();
      await using destination = await TestDestination.start([
        `--data=${data.path}`,
        "--commit-interval=20ms",
      ]);
      for (let round = 0; round < rounds; round += 1) {
        const made = shapeOf(round);
        const { pieceCount } = layoutOf(made);
        const durable = new PieceSet(pieceCount);
        let sent = 0;
        for (let life = 0; life < 3; life += 1) {
          using source = new TestSource(destination.port);
          const killing = (async () => {
            await waitFor(() => source.sentBytes > 0, { what: "the first chunk", timeoutMs: 10_000 }).catch(
              () => {},
            );
            await new Promise((resolve) => setTimeout(resolve, random() * 150));
            if (life < 2) await destination.kill();
          })();
          const working = (async () => {
            await sendNeeded(source, made, random);
            if (life < 2) await source.finalize(made.torrentId, 500);
          })().catch((error: unknown) => {
            if (life === 2) throw error;
          });
          await killing;
          await working;
          for (let piece = 0; piece < pieceCount; piece += 1)
            if (source.all(made, piece).includes(Outcome.DURABLE)) durable.add(piece);
          sent += source.sentBytes;
          if (life < 2) {
            kills += 1;
            await destination.start();
            using asking = new TestSource(destination.port);
            const state = await asking.state(made.torrentId);
            const kept =
              state.phase === Phase.UNKNOWN
                ? new PieceSet(pieceCount)
                : PieceSet.fromBytes(state.durable, pieceCount);
            lost.push(...[...durable].filter((piece) => !kept.has(piece)));
            rehashed += await destination.metric("qbsync_rehashed_bytes_total");
          }
        }
        using source = new TestSource(destination.port);
        const { step, detail } = await source.finalized(made.torrentId);
        expect({ step, detail }).toEqual({ step: Step.FINISHED, detail: "" });
        expect(await isWhole(data.path, made)).toBe(true);
        sizes += layoutOf(made).totalSize;
        resent += Math.max(0, sent - layoutOf(made).totalSize);
      }
      expect(lost, "durable pieces that a restart did not know").toEqual([]);
      const leftovers = (await readdir(data.path, { recursive: true })).filter((name) =>
        name.endsWith(".qbsync"),
      );
      expect(leftovers.filter((name) => name !== ".qbsync")).toEqual([]);
      console.log(
        `seed ${seed}: ${kills} kills over ${sizes} bytes; sent again ${resent} bytes, hashed again ${rehashed} bytes`,
      );
    },
  );

  test("a log that was torn, or ends in garbage, is believed up to there", async () => {
    await using data = await tempDir();
    await using destination = await TestDestination.start([`--data=${data.path}`]);
    using source = new TestSource(destination.port);
    const made = makeTorrent({ version: "v1", name: "torn", files: [{ path: "a", size: 400_000 }] });
    await source.mustOpen(made);
    await source.whenNotPaused(made.torrentId);
    for (let piece = 0; piece < 20; piece += 1) await source.send(made, piece);
    for (let piece = 0; piece < 20; piece += 1) await source.answered(made, piece);
    await destination.kill();
    const log = join(data.path, ".qbsync", made.torrentId, "pieces.log");
    const bytes = await readFile(log);
    await writeFile(
      log,
      Buffer.concat([bytes.subarray(0, bytes.length - 5), Buffer.from("garbage".repeat(30))]),
    );
    await destination.start();
    using again = new TestSource(destination.port);
    // The last commit is torn, so its pieces are the tail: hashed, found right, and durable after all.
    expect(PieceSet.fromBytes((await again.state(made.torrentId)).durable, 25).size).toBe(20);
    expect(await destination.metric("qbsync_rehashed_bytes_total", "restart")).toBeGreaterThan(0);
    await again.deliver(made);
    expect((await again.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    expect(await isWhole(data.path, made)).toBe(true);
  });

  test("pieces that are noted as durable are not hashed again", async () => {
    await using data = await tempDir();
    await using destination = await TestDestination.start([`--data=${data.path}`]);
    using source = new TestSource(destination.port);
    const made = makeTorrent({ version: "v1", name: "kept", files: [{ path: "a", size: 400_000 }] });
    await source.mustOpen(made);
    await source.whenNotPaused(made.torrentId);
    for (const piece of [3, 4, 5]) await source.send(made, piece);
    for (const piece of [3, 4, 5]) await source.answered(made, piece);
    await destination.restart();
    using again = new TestSource(destination.port);
    const { durable, neededCount } = await again.state(made.torrentId);
    expect([...PieceSet.fromBytes(durable, 25)]).toEqual([3, 4, 5]);
    expect(neededCount).toBe(22);
    expect(await destination.metric("qbsync_rehashed_bytes_total", "restart")).toBe(0);
  });

  test("a file that somebody deleted or replaced meanwhile is asked for again", async () => {
    await using data = await tempDir();
    await using destination = await TestDestination.start([`--data=${data.path}`]);
    using source = new TestSource(destination.port);
    const made = makeTorrent({
      version: "v1",
      name: "gone",
      files: [
        { path: "a", size: 65_536 },
        { path: "b", size: 65_536 },
      ],
    });
    await source.deliver(made);
    await destination.kill();
    await writeFile(join(data.path, "gone/b.other"), "x".repeat(65_536));
    await link(join(data.path, "gone/b"), join(data.path, "gone/b.kept"));
    await rename(join(data.path, "gone/b.other"), join(data.path, "gone/b"));
    await destination.start();
    using again = new TestSource(destination.port);
    const state = await again.whenNotPaused(made.torrentId);
    expect([...PieceSet.fromBytes(state.needed, 8)]).toEqual([4, 5, 6, 7]);
    expect((await stat(join(data.path, "gone/b.kept"))).size).toBe(65_536);
  });
});
