import { execFileSync, spawnSync } from "node:child_process";
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  FinalizeResponse_Step as Step,
  Pause_Reason,
  Phase,
  PieceAnswer_Outcome as Outcome,
  PieceSet,
  Refusal_Reason,
} from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { TestDestination } from "./test-destination.ts";
import { layoutOf, TestSource } from "./test-source.ts";

vi.setConfig({ testTimeout: 60_000 });

/** A small file system for one process needs a mount namespace, and so root. */
const canMount = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
if (!canMount)
  console.warn("SKIPPED: disks that are full or read-only; that needs `unshare -m`, and so root");

const MiB = 1024 * 1024;

const torrent = (name: string, size: number) =>
  makeTorrent({ version: "v1", name, seed: name, pieceLength: 65_536, files: [{ path: "a.bin", size }] });

/** A destination whose data is on a tmpfs of this size. */
async function stage(sizeMiB: number, ...argv: string[]) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await tempDir());
  const mount = `mount -t tmpfs -o size=${sizeMiB}m none "${folder.path}" && exec "$@"`;
  const destination = stack.use(
    await TestDestination.start(
      [`--data=${folder.path}`, "--space-retry=200ms", "--commit-interval=20ms", ...argv],
      ["unshare", "-m", "sh", "-c", mount, "sh"],
    ),
  );
  const source = stack.use(new TestSource(destination.port));
  const data = `/proc/${destination.pid}/root${folder.path}`;
  const remount = (how: "ro" | "rw"): void => {
    execFileSync("nsenter", [
      "-t",
      String(destination.pid),
      "-m",
      "mount",
      "-o",
      `remount,${how}`,
      folder.path,
    ]);
  };
  return { data, destination, source, remount, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test("a quota that is exceeded pauses the torrent; it goes on by itself once it is not, and nothing is lost", async () => {
  await using folder = await tempDir();
  await using marker = await tempDir();
  const exceeded = join(marker.path, "exceeded");
  await using destination = await TestDestination.start(
    [`--data=${folder.path}`, "--space-retry=200ms", "--commit-interval=20ms"],
    [
      "env",
      `NODE_OPTIONS=--import=${new URL("quota-under-test.ts", import.meta.url).href}`,
      `QUOTA_EXCEEDED=${exceeded}`,
    ],
  );
  using source = new TestSource(destination.port);
  const made = torrent("over quota", 2 * MiB);
  await source.mustOpen(made);
  await source.whenNotPaused(made.torrentId);
  for (const piece of [0, 1]) await source.send(made, piece);
  for (const piece of [0, 1]) expect(await source.answered(made, piece)).toBe(Outcome.DURABLE);
  await writeFile(exceeded, "");
  await source.send(made, 2);
  expect(await source.answered(made, 2)).toBe(Outcome.PAUSED);
  await waitFor(() => source.pauses.some(({ pause }) => pause?.detail.includes("EDQUOT")), {
    what: "the source to be told why",
  });
  expect(source.pauses.find(({ pause }) => pause?.detail.includes("EDQUOT"))?.pause?.reason).toBe(
    Pause_Reason.SPACE,
  );
  const { durable, pieceCount } = await source.state(made.torrentId);
  expect([...PieceSet.fromBytes(durable, pieceCount)]).toEqual([0, 1]);
  await unlink(exceeded);
  await source.deliver(made);
  expect((await source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
  expect((await readFile(join(folder.path, "over quota/a.bin"))).equals(made.files[0]!.content())).toBe(true);
});

describe.skipIf(!canMount)("a disk", () => {
  test("that fills up while pieces come pauses the torrent; it goes on by itself once there is space", async () => {
    await using at = await stage(6);
    const made = torrent("filled", 3 * MiB);
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    await writeFile(join(at.data, "filler"), Buffer.alloc(4.5 * MiB));
    const pieces = Array.from({ length: layoutOf(made).pieceCount }, (_, piece) => piece);
    for (const piece of pieces) await at.source.send(made, piece);
    const answers = await Promise.all(pieces.map((piece) => at.source.answered(made, piece)));
    expect(new Set(answers)).toEqual(new Set([Outcome.DURABLE, Outcome.PAUSED]));
    const state = await at.source.state(made.torrentId);
    expect(state).toMatchObject({
      phase: Phase.PAUSED,
      pause: { reason: Pause_Reason.SPACE, retryAfterMs: 200 },
    });
    expect(state.neededCount).toBe(answers.filter((answer) => answer === Outcome.PAUSED).length);
    at.source.pauses.length = 0;
    await unlink(join(at.data, "filler"));
    await waitFor(() => at.source.pauses.some(({ pause }) => pause === undefined), { what: "it to go on" });
    await at.source.deliver(made);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    expect((await readFile(join(at.data, "filled/a.bin"))).equals(made.files[0]!.content())).toBe(true);
  });

  test("that is too small for a torrent is not filled with it", async () => {
    await using at = await stage(6);
    const first = torrent("fits", 3 * MiB);
    const second = torrent("does not fit beside it", 4 * MiB);
    await at.source.mustOpen(first);
    await at.source.whenNotPaused(first.torrentId);
    await at.source.mustOpen(second);
    await waitFor(
      async () => (await at.source.state(second.torrentId)).pause?.reason === Pause_Reason.SPACE,
      {
        what: "the second one to wait for space",
      },
    );
    await at.source.deliver(first);
    expect((await at.source.state(second.torrentId)).detail).toContain("bytes are needed");
    expect((await at.source.abort(first.torrentId, true)).filesDeleted).toBe(1);
    await at.source.deliver(second);
    expect((await at.source.finalized(second.torrentId)).step).toBe(Step.FINISHED);
  });

  test("keeps the space free that --keep-free says", async () => {
    await using at = await stage(6, "--keep-free=4MiB");
    const made = torrent("kept", 3 * MiB);
    await at.source.mustOpen(made);
    await waitFor(async () => (await at.source.state(made.torrentId)).pause?.reason === Pause_Reason.SPACE, {
      what: "it to wait for space",
    });
  });

  test("that is read-only is told of, and used once it can be written", async () => {
    await using at = await stage(6);
    const made = torrent("read-only", MiB);
    at.remount("ro");
    const { result } = await at.source.open(made);
    expect(result).toMatchObject({
      $case: "refusal",
      refusal: {
        reason: Refusal_Reason.BUSY,
        retryAfterMs: 200,
        detail: expect.stringContaining("read-only"),
      },
    });
    at.remount("rw");
    await at.source.deliver(made);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
  });
});
