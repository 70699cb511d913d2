import { once } from "node:events";
import {
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import {
  FinalizeResponse_Step as Step,
  type HelloResponse,
  Phase,
  PieceAnswer_Outcome as Outcome,
  PieceSet,
  QbSyncService,
} from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { TestDestination } from "./test-destination.ts";
import { layoutOf, TestSource } from "./test-source.ts";

vi.setConfig({ testTimeout: 60_000 });

const film = (name: string, seed = name) =>
  makeTorrent({
    version: "v1",
    name,
    seed,
    pieceLength: 65_536,
    files: [{ path: "film.bin", size: 300_000 }],
  });

async function stage(...argv: string[]) {
  const stack = new AsyncDisposableStack();
  const data = stack.use(await tempDir());
  const destination = stack.use(
    await TestDestination.start([`--data=${data.path}`, "--commit-interval=20ms", ...argv]),
  );
  const source = stack.use(new TestSource(destination.port));
  return { data: data.path, destination, source, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function flip(path: string, at: number): Promise<void> {
  await using file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  await file.write(Buffer.from([byte[0]! ^ 1]), 0, 1, at);
}

/** What a destination holds open of a torrent's state. */
async function openLogs(pid: number, torrentId: string): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const opened = (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => ""));
  return (await Promise.all(opened)).filter((path) => path.endsWith(`${torrentId}/pieces.log`));
}

test.skipIf(process.platform !== "linux")(
  "a finished torrent that cannot be taken up again leaves no file open: Node would end the process for it",
  async () => {
    await using at = await stage();
    const made = film("refused");
    await at.source.deliver(made);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    const { result } = await at.source.open(made, { unselectedFiles: [99] });
    expect(result?.$case).toBe("refusal");
    await waitFor(async () => (await openLogs(at.destination.pid, made.torrentId)).length === 0, {
      what: "its log being closed",
    });
  },
);

describe("what is there already", () => {
  test("is never overwritten: a file of the same name with other content stops the torrent, and stays", async () => {
    await using at = await stage();
    const made = film("mine");
    await mkdir(join(at.data, "mine"));
    await writeFile(join(at.data, "mine/film.bin"), "my own film");
    await at.source.deliver(made).catch(() => {});
    const { step, detail } = await at.source.finalized(made.torrentId);
    expect(step).toBe(Step.FAILED);
    expect(detail).toContain("mine/film.bin is there already");
    expect(await readFile(join(at.data, "mine/film.bin"), "utf8")).toBe("my own film");
    await rename(join(at.data, "mine/film.bin"), join(at.data, "mine/kept.bin"));
    await at.source.deliver(made);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
  });

  test("stops a torrent of which other files are still missing as well, which goes on by itself when it is gone", async () => {
    await using at = await stage("--space-retry=1s");
    const files = ["one.bin", "two.bin"].map((path) => ({ path, size: 4 * 65_536 }));
    const made = makeTorrent({ version: "v1", name: "season", pieceLength: 65_536, files });
    const taken = join(at.data, "season/one.bin");
    await mkdir(join(at.data, "season"));
    await writeFile(taken, "my own");
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    for (const piece of [0, 1, 2, 3]) await at.source.send(made, piece);
    const failed = await waitFor(
      async () => {
        const state = await at.source.state(made.torrentId);
        return state.phase === Phase.FAILED ? state : undefined;
      },
      { what: "the torrent to have failed" },
    );
    expect(failed.detail).toContain("season/one.bin is there already, with other content");
    await at.source.send(made, 4);
    expect(await at.source.answered(made, 4)).toBe(Outcome.FAILED);
    expect(await readFile(taken, "utf8")).toBe("my own");
    await unlink(taken);
    await waitFor(async () => (await at.source.state(made.torrentId)).phase === Phase.RECEIVING, {
      what: "pieces to be welcome",
    });
    await at.source.deliver(made);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    await at.destination.said(/season goes on: .*season\/one\.bin is gone/);
  });

  test("is taken when it is right, without a byte being sent, and is not deleted by an abort", async () => {
    await using at = await stage();
    const made = film("here");
    await made.write(at.data);
    await at.source.mustOpen(made);
    const { neededCount, reusedBytes } = await at.source.whenNotPaused(made.torrentId);
    expect({ neededCount, reusedBytes }).toEqual({ neededCount: 0, reusedBytes: 300_000 });
    expect(await at.source.abort(made.torrentId, true)).toMatchObject({ aborted: true, filesDeleted: 0 });
    expect((await readFile(join(at.data, "here/film.bin"))).equals(made.files[0]!.content())).toBe(true);
  });

  test("in another finished torrent is given a second name, and is not sent again", async () => {
    await using at = await stage();
    const first = film("first", "same content");
    const second = film("second", "same content");
    expect(second.torrentId).not.toBe(first.torrentId);
    await at.source.deliver(first);
    await at.source.finalized(first.torrentId);
    await at.source.mustOpen(second);
    expect((await at.source.whenNotPaused(second.torrentId)).neededCount).toBe(0);
    expect((await at.source.finalized(second.torrentId)).step).toBe(Step.FINISHED);
    const [a, b] = await Promise.all(
      ["first", "second"].map((name) => stat(join(at.data, name, "film.bin"))),
    );
    expect(a!.ino).toBe(b!.ino);
    await at.destination.restart();
    using again = new TestSource(at.destination.port);
    const third = film("third", "same content");
    await again.mustOpen(third);
    expect((await again.whenNotPaused(third.torrentId)).neededCount).toBe(0);
  });

  test("is never written through another name of the same file", async () => {
    await using at = await stage();
    const made = film("linked");
    await at.source.deliver(made);
    await waitFor(() => stat(join(at.data, "linked/film.bin")).catch(() => undefined), { what: "its name" });
    const path = join(at.data, "linked/film.bin");
    await link(path, join(at.data, "other name.bin"));
    await flip(path, 70_000);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.INCOMPLETE);
    await at.source.deliver(made);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    expect((await readFile(path)).equals(made.files[0]!.content())).toBe(true);
    expect((await readFile(join(at.data, "other name.bin"))).equals(made.files[0]!.content())).toBe(false);
  });

  test("that belongs to nobody is deleted by an abort, and only that", async () => {
    await using at = await stage();
    const made = film("aborted");
    await at.source.deliver(made);
    await writeFile(join(at.data, "aborted/notes.txt"), "mine");
    expect(await at.source.abort(made.torrentId, true)).toMatchObject({ aborted: true, filesDeleted: 1 });
    expect(await readFile(join(at.data, "aborted/notes.txt"), "utf8")).toBe("mine");
    await expect(lstat(join(at.data, ".qbsync", made.torrentId))).rejects.toThrow("ENOENT");
  });
});

describe("a stored byte that was changed by somebody else", () => {
  test("is found before the torrent is finished, and only its piece is sent again", async () => {
    await using at = await stage();
    const made = film("rotten");
    await at.source.deliver(made);
    await flip(join(at.data, "rotten/film.bin"), 200_000);
    const { step, state } = await at.source.finalized(made.torrentId);
    expect(step).toBe(Step.INCOMPLETE);
    expect([...PieceSet.fromBytes(state!.needed, 5)]).toEqual([3]);
    await at.source.deliver(made);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    expect((await readFile(join(at.data, "rotten/film.bin"))).equals(made.files[0]!.content())).toBe(true);
  });

  test("with --verify all, everything is read back", async () => {
    await using at = await stage("--verify=all");
    const made = film("all");
    await at.source.deliver(made);
    await at.source.finalized(made.torrentId);
    expect(await at.destination.metric("qbsync_rehashed_bytes_total", "finalize")).toBe(300_000);
  });

  test("without it, nothing is read back that nobody touched", async () => {
    await using at = await stage();
    const made = film("none");
    await at.source.deliver(made);
    await at.source.finalized(made.torrentId);
    expect(await at.destination.metric("qbsync_rehashed_bytes_total", "finalize")).toBe(0);
  });
});

describe("a piece", () => {
  test("with a wrong byte is refused and leaves no trace, in one chunk or in many", async () => {
    await using at = await stage();
    const made = film("wrong");
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    const alter = (payload: Buffer): void => void (payload[5]! ^= 1);
    await at.source.send(made, 0, { alter });
    await at.source.send(made, 1, { alter, chunkBytes: 1000 });
    expect(await at.source.answered(made, 0)).toBe(Outcome.HASH_MISMATCH);
    expect(await at.source.answered(made, 1)).toBe(Outcome.HASH_MISMATCH);
    expect((await at.source.state(made.torrentId)).neededCount).toBe(5);
  });

  test("is answered received, written and durable, in this order", async () => {
    await using at = await stage();
    const made = film("order");
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    await at.source.send(made, 2);
    await at.source.answered(made, 2);
    expect(at.source.all(made, 2)).toEqual([Outcome.RECEIVED, Outcome.WRITTEN, Outcome.DURABLE]);
  });

  test("gets its last answer also where the source has ended its stream", async () => {
    await using at = await stage("--commit-interval=500ms");
    const made = film("ended");
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    const { stream } = at.source;
    await at.source.send(made, 2);
    stream.end();
    await once(stream, "end");
    expect(at.source.all(made, 2).at(-1)).toBe(Outcome.DURABLE);
  });

  test("is durable once the commit interval is over, and not before", async () => {
    await using at = await stage("--commit-interval=2s");
    const made = film("later");
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    const startedAt = performance.now();
    await at.source.send(made, 2);
    await waitFor(() => at.source.all(made, 2).includes(Outcome.WRITTEN), { what: "it to be written" });
    expect((await at.source.state(made.torrentId)).durable).toEqual(Buffer.from([0]));
    expect(await at.source.answered(made, 2)).toBe(Outcome.DURABLE);
    expect(performance.now() - startedAt).toBeGreaterThan(1500);
  });

  test("is durable sooner when there is more than the commit size", async () => {
    await using at = await stage("--commit-interval=60s", "--commit-size=1MiB");
    const made = makeTorrent({
      version: "v1",
      name: "soon",
      pieceLength: 1_048_576,
      files: [{ path: "a", size: 2_100_000 }],
    });
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    await at.source.send(made, 0);
    expect(await at.source.answered(made, 0)).toBe(Outcome.DURABLE);
  });

  test("that was begun on a stream which is not heard of any more is taken by another", async () => {
    await using at = await stage();
    const made = film("taken");
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    await at.source.chunk({ torrentId: made.torrentId, piece: 0, offset: 0, data: new Uint8Array(1000) });
    await waitFor(async () => (await at.destination.metric("qbsync_received_bytes_total")) >= 1000, {
      what: "the chunk",
    });
    using other = new TestSource(at.destination.port);
    await other.send(made, 0);
    expect(await other.answered(made, 0)).toBe(Outcome.DURABLE);
    expect(await at.source.answered(made, 0)).toBe(Outcome.SUPERSEDED);
  });
});

test.each([
  { workers: "--stream-workers=1", files: 8, least: 1, most: 1 },
  { workers: "--stream-workers=0", files: 8, least: 2, most: 8 },
  // Linux lets one writer into a file; others would only burn CPU.
  { workers: "--stream-workers=0", files: 1, least: 1, most: 1 },
])(
  "$workers, files: $files: $least to $most writes at the same time, and the memory budget holds",
  async ({ workers, files, least, most }) => {
    await using at = await stage(workers, "--max-stream-buffer=16MB");
    const { limits } = await at.source.hello();
    expect(limits!.maxStreams * (16 * limits!.maxChunkBytes + limits!.streamWindowBytes)).toBeLessThanOrEqual(
      16_000_000,
    );
    const made = makeTorrent({
      version: "v1",
      name: "much",
      pieceLength: 262_144,
      files: Array.from({ length: files }, (_, file) => ({ path: `${file}`, size: (120 / files) * 262_144 })),
    });
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    const { pieceCount } = layoutOf(made);
    // One of each file, then the next one of each.
    for (let count = 0; count < pieceCount; count += 1) {
      const piece = (count % files) * (pieceCount / files) + Math.floor(count / files);
      await at.source.send(made, piece, { chunkBytes: limits!.maxChunkBytes });
    }
    expect(await at.destination.metric("qbsync_buffered_bytes")).toBeLessThanOrEqual(4_000_000);
    const read = () => at.destination.metric("qbsync_writes_peak");
    const peak = await waitFor(async () => ((await read()) >= least ? await read() : undefined), {
      what: "so many writes at the same time",
    });
    expect(peak).toBeLessThanOrEqual(most);
  },
);

test("a dry run says what it would do and leaves no trace", async () => {
  await using data = await tempDir();
  await using destination = await TestDestination.start([`--data=${data.path}`, "--dry-run"]);
  using source = new TestSource(destination.port);
  const made = film("dry");
  const { result } = await source.open(made);
  expect(result).toMatchObject({
    $case: "refusal",
    refusal: { detail: expect.stringContaining("would receive up to 300000 bytes") },
  });
  await waitFor(() => destination.output.includes("would receive up to 300000 bytes"), {
    what: "the log's line",
  });
  await expect(lstat(join(data.path, ".qbsync"))).rejects.toThrow("ENOENT");
});

test("a source of the next version, with fields that are not known here, is answered in this one", async () => {
  await using at = await stage();
  // versions = [2, 1], program = "next", and field 50, which no version had yet.
  const hello = Buffer.from([0x0a, 2, 2, 1, 0x12, 4, ...Buffer.from("next"), 0x90, 0x03, 7]);
  const answer = await new Promise<HelloResponse | undefined>((resolve, reject) => {
    const { path, responseDeserialize } = QbSyncService.hello;
    const same = (bytes: Buffer): Buffer => bytes;
    at.source.client.makeUnaryRequest(path, same, responseDeserialize, hello, (error, value) =>
      error === null ? resolve(value) : reject(error),
    );
  });
  expect(answer).toMatchObject({ version: 1, detail: "" });
});

test("a source of another version is told which one is spoken", async () => {
  await using at = await stage();
  expect(await at.source.hello([2, 1])).toMatchObject({ version: 1, capabilities: ["open"] });
  expect(await at.source.hello([7])).toMatchObject({
    version: 0,
    detail: expect.stringContaining("version 1"),
  });
});

test("a folder that is a link out of the data directory is not followed", async () => {
  await using at = await stage();
  await using elsewhere = await tempDir();
  await chmod(elsewhere.path, 0o777);
  await symlink(elsewhere.path, join(at.data, "out"));
  const made = film("out");
  await at.source.mustOpen(made);
  await at.source.whenNotPaused(made.torrentId);
  await at.source.send(made, 0);
  expect(await at.source.answered(made, 0)).toBe(Outcome.FAILED);
  expect((await at.source.state(made.torrentId)).detail).toContain("leads out of the data directory");
});
