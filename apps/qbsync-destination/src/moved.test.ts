import { access, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  FinalizeResponse_Step as Step,
  Phase,
  PieceAnswer_Outcome as Outcome,
  Refusal_Reason,
} from "@qbit-sidecars/qbsync-protocol";
import { type MadeTorrent, makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { TestDestination } from "./test-destination.ts";
import { TestSource } from "./test-source.ts";

vi.setConfig({ testTimeout: 60_000 });

const series = (name: string): MadeTorrent =>
  makeTorrent({
    version: "v1",
    name,
    seed: name,
    pieceLength: 16_384,
    files: [
      { path: "one.bin", size: 16_384 * 2 },
      { path: "two.bin", size: 16_384 * 2 },
    ],
  });

async function stage(...argv: string[]) {
  const stack = new AsyncDisposableStack();
  const data = stack.use(await tempDir());
  const destination = stack.use(
    await TestDestination.start([`--data=${data.path}`, "--commit-interval=20ms", ...argv]),
  );
  const source = stack.use(new TestSource(destination.port));
  const at = (...parts: string[]): string => join(data.path, ...parts);
  return { data: data.path, destination, source, at, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Sends pieces and waits until they are durable. */
async function store(source: TestSource, made: MadeTorrent, pieces: readonly number[]): Promise<void> {
  await source.whenNotPaused(made.torrentId);
  for (const piece of pieces) await source.send(made, piece);
  for (const piece of pieces) expect(await source.answered(made, piece)).toBe(Outcome.DURABLE);
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe("a torrent that is described anew while it arrives", () => {
  test("takes what is whole and what is not along to its new folder and names, and sends nothing twice", async () => {
    await using at = await stage();
    const made = series("moves");
    await at.source.mustOpen(made);
    await store(at.source, made, [0, 1, 2]);
    // It gets its name a moment after its last piece is told to be durable.
    await waitFor(() => isThere(at.at("moves/one.bin")), { what: "the whole file to have its name" });
    const state = await at.source.mustOpen(made, {
      savePath: "elsewhere",
      renamedFiles: [{ file: 1, path: "moves/second.bin" }],
    });
    expect(state.neededCount).toBe(1);
    await store(at.source, made, [3]);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    expect(await isThere(at.at("moves/one.bin"))).toBe(false);
    for (const [file, name] of ["one.bin", "second.bin"].entries())
      expect((await readFile(at.at("elsewhere/moves", name))).equals(made.files[file]!.content())).toBe(true);
  });

  test("leaves where they are the files that somebody else put there, and needs them anew", async () => {
    await using at = await stage();
    const made = series("foreign");
    await mkdir(at.at("foreign"));
    await writeFile(at.at("foreign/one.bin"), made.files[0]!.content());
    await at.source.mustOpen(made);
    expect((await at.source.whenNotPaused(made.torrentId)).neededCount).toBe(2);
    await at.source.mustOpen(made, { savePath: "elsewhere" });
    expect((await at.source.whenNotPaused(made.torrentId)).neededCount).toBe(4);
    await at.source.deliver(made, { savePath: "elsewhere" });
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    expect((await readFile(at.at("foreign/one.bin"))).equals(made.files[0]!.content())).toBe(true);
  });

  test("does not overwrite what has the new name already: it waits for a person, and what was there stays", async () => {
    await using at = await stage();
    const made = series("taken");
    await at.source.mustOpen(made);
    await store(at.source, made, [0, 1]);
    await mkdir(at.at("elsewhere/taken"), { recursive: true });
    await writeFile(at.at("elsewhere/taken/one.bin"), "mine");
    const { result } = await at.source.open(made, { savePath: "elsewhere" });
    expect(result).toMatchObject({ refusal: { reason: Refusal_Reason.CONFLICT } });
    expect(await readFile(at.at("elsewhere/taken/one.bin"), "utf8")).toBe("mine");
  });

  test("with fewer files wanted is complete sooner, and its other pieces are not wanted", async () => {
    await using at = await stage();
    const made = series("fewer");
    await at.source.mustOpen(made, { unselectedFiles: [1] });
    await store(at.source, made, [0, 1]);
    await at.source.send(made, 3);
    expect(await at.source.answered(made, 3)).toBe(Outcome.NOT_WANTED);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    expect(await isThere(at.at("fewer/two.bin"))).toBe(false);
    // More is wanted later: it goes on from there.
    expect(await at.source.mustOpen(made)).toMatchObject({ neededCount: 2 });
    await at.source.deliver(made);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    expect((await readFile(at.at("fewer/two.bin"))).equals(made.files[1]!.content())).toBe(true);
  });
});

describe("pieces that need not be sent", () => {
  test("are answered at once: durable already, of a torrent that is not open", async () => {
    await using at = await stage();
    const made = series("twice");
    await at.source.mustOpen(made);
    await store(at.source, made, [0]);
    at.source.all(made, 0).length = 0;
    await at.source.send(made, 0);
    expect(await at.source.answered(made, 0)).toBe(Outcome.DURABLE);
    const unknown = series("unknown");
    await at.source.send(unknown, 0);
    expect(await at.source.answered(unknown, 0)).toBe(Outcome.NOT_OPEN);
  });

  test("of a file that cannot get its name are refused until a person has put that right", async () => {
    await using at = await stage();
    const made = series("blocked");
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    await writeFile(at.at("blocked"), "a file where the folder has to be").catch(() => {});
    await at.source.send(made, 0);
    const outcome = await at.source.answered(made, 0);
    expect(outcome).toBe(Outcome.FAILED);
    expect(await at.source.state(made.torrentId)).toMatchObject({
      phase: Phase.FAILED,
      detail: expect.stringContaining("in the way"),
    });
    at.source.all(made, 1).length = 0;
    await at.source.send(made, 1);
    expect(await at.source.answered(made, 1)).toBe(Outcome.FAILED);
  });
});

test("a state of a torrent that cannot be read is told and left, and the others go on", async () => {
  await using at = await stage();
  const [broken, fine] = [series("broken"), series("fine")];
  for (const made of [broken, fine]) {
    await at.source.mustOpen(made);
    await store(at.source, made, [0]);
  }
  await at.destination.kill("SIGTERM");
  await writeFile(at.at(".qbsync", broken.torrentId, "torrent"), fine.torrent);
  await at.destination.start();
  using again = new TestSource(at.destination.port);
  await at.destination.said(new RegExp(`the stored .torrent is that of ${fine.torrentId}`));
  expect((await again.state(broken.torrentId)).phase).toBe(Phase.UNKNOWN);
  await again.deliver(fine);
  expect((await again.finalized(fine.torrentId)).step).toBe(Step.FINISHED);
});

test("a single file without a folder is received, finished and dropped", async () => {
  await using at = await stage();
  const made = makeTorrent({ version: "v1", name: "alone.bin", files: [{ path: "", size: 40_000 }] });
  await at.source.mustOpen(made);
  await store(at.source, made, [0]);
  expect(await at.source.abort(made.torrentId, true)).toMatchObject({ aborted: true });
  expect(await readdir(at.data)).toEqual([".qbsync"]);
});

test("an abort keeps a file that another torrent stands on", async () => {
  await using at = await stage();
  const made = series("original");
  await at.source.deliver(made);
  await at.source.finalized(made.torrentId);
  const other = makeTorrent({
    version: "v1",
    name: "other",
    seed: "original",
    pieceLength: 16_384,
    files: [{ path: "one.bin", size: 16_384 * 2 }],
  });
  await at.source.mustOpen(other);
  await at.source.whenNotPaused(other.torrentId);
  await at.source.abort(other.torrentId, true);
  expect((await readFile(at.at("original/one.bin"))).equals(made.files[0]!.content())).toBe(true);
});

test("a folder that is a link within the data directory is followed", async () => {
  await using at = await stage();
  const made = series("linked");
  await mkdir(at.at("real"));
  await symlink(at.at("real"), at.at("linked"));
  await at.source.deliver(made);
  expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
  expect(await isThere(at.at("real/one.bin"))).toBe(true);
});

test("a torrent for which there is no room waits, is looked at again, and an abort of it leaves the others alone", async () => {
  await using at = await stage("--keep-free=1000000GB", "--space-retry=100ms");
  const [made, other] = [series("no room"), series("other")];
  for (const one of [made, other]) await at.source.mustOpen(one);
  const isPaused = async (one: MadeTorrent) => (await at.source.state(one.torrentId)).phase === Phase.PAUSED;
  await waitFor(async () => (await isPaused(made)) && (await isPaused(other)), { what: "both to wait" });
  const steps = 'reconcile_steps_total{loop="retry-paused",outcome="converged"}';
  await waitFor(async () => (await at.destination.metric(steps)) > 1, { what: "it to be tried again" });
  await at.source.send(made, 0);
  expect(await at.source.answered(made, 0)).toBe(Outcome.PAUSED);
  expect(await at.source.abort(made.torrentId, true)).toMatchObject({ aborted: true, filesDeleted: 0 });
  expect(await isPaused(other)).toBe(true);
  expect(await at.source.open({ torrent: Buffer.alloc(0), torrentId: made.torrentId })).toMatchObject({
    result: { refusal: { reason: Refusal_Reason.TORRENT_NEEDED } },
  });
});

test("a torrent whose state cannot be written is refused for now, with what the disk says; the others are not", async () => {
  await using at = await stage();
  const [made, other] = [series("no state"), series("fine")];
  await at.source.mustOpen(other);
  await writeFile(at.at(".qbsync", made.torrentId), "in the way");
  expect(await at.source.open(made)).toMatchObject({
    result: { refusal: { reason: Refusal_Reason.BUSY, detail: expect.stringContaining("ENOTDIR") } },
  });
  await at.source.deliver(other);
  expect((await at.source.finalized(other.torrentId)).step).toBe(Step.FINISHED);
});
