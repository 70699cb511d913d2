import { readFile, rename, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import {
  FinalizeResponse_Step as Step,
  Phase,
  PieceAnswer_Outcome as Outcome,
  PieceSet,
} from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { expect, test, vi } from "vitest";
import { TestDestination } from "./test-destination.ts";
import { TestSource } from "./test-source.ts";

vi.setConfig({ testTimeout: 60_000 });

const film = (name: string) =>
  makeTorrent({
    version: "v1",
    name,
    seed: name,
    pieceLength: 65_536,
    files: [
      { path: "film.bin", size: 4 * 65_536 },
      { path: "extra.bin", size: 4 * 65_536 },
    ],
  });

async function stage() {
  const stack = new AsyncDisposableStack();
  const data = stack.use(await tempDir());
  const destination = stack.use(
    await TestDestination.start([`--data=${data.path}`, "--commit-interval=20ms"]),
  );
  const again = () => stack.use(new TestSource(destination.port));
  return {
    data: data.path,
    destination,
    source: again(),
    again,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test.each<[string, (folder: string) => Promise<void>]>([
  ["deleted", (folder) => rm(folder, { recursive: true })],
  ["moved to the folder of another category", (folder) => rename(folder, `${folder} elsewhere`)],
  ["deleted in part", (folder) => unlink(join(folder, "film.bin"))],
])(
  "finished is finished: files that were %s afterwards are not asked for again, also after a restart",
  async (_, change) => {
    await using at = await stage();
    const made = film("seen");
    await at.source.deliver(made);
    expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
    await change(join(at.data, "seen"));
    await at.destination.restart();
    const source = at.again();
    const { durable, ...state } = await source.state(made.torrentId);
    expect(state).toMatchObject({ phase: Phase.FINISHED, neededCount: 0 });
    expect(PieceSet.fromBytes(durable, 8).isFull).toBe(true);
    expect(await source.mustOpen(made)).toMatchObject({ phase: Phase.FINISHED, neededCount: 0 });
    expect(await at.destination.metric("qbsync_torrents", "finished")).toBe(1);
    expect(await at.destination.metric("qbsync_torrents", "receiving")).toBe(0);
  },
);

test("what is wanted beside files that are gone is received, and only what is there is counted as there", async () => {
  await using at = await stage();
  const made = film("more");
  await at.source.deliver(made, { unselectedFiles: [1] });
  expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
  await unlink(join(at.data, "more/film.bin"));
  await at.destination.restart();
  const source = at.again();
  await source.mustOpen(made);
  await source.whenNotPaused(made.torrentId);
  await source.send(made, 0);
  expect(await source.answered(made, 0)).toBe(Outcome.DURABLE);
  await at.destination.kill();
  await at.destination.start();
  const { durable, pieceCount } = await at.again().state(made.torrentId);
  expect([...PieceSet.fromBytes(durable, pieceCount)]).toEqual([0]);
});

test("a whole file of an unfinished torrent that was deleted comes again, all of it, however often the program is killed meanwhile", async () => {
  await using at = await stage();
  const made = film("unfinished");
  await at.source.deliver(made);
  const path = join(at.data, "unfinished/film.bin");
  await waitFor(() => stat(path).catch(() => undefined), { what: "the file to have its name" });
  await at.destination.kill();
  await unlink(path);
  await at.destination.start();
  const source = at.again();
  await source.whenNotPaused(made.torrentId);
  await source.send(made, 0);
  expect(await source.answered(made, 0)).toBe(Outcome.DURABLE);
  await at.destination.kill();
  await at.destination.start();
  const last = at.again();
  const { durable, pieceCount } = await last.whenNotPaused(made.torrentId);
  expect([...PieceSet.fromBytes(durable, pieceCount)]).toEqual([0, 4, 5, 6, 7]);
});

test("it comes again, and is finished again, when it is gone and nothing at the source says that it was ever synced", async () => {
  await using at = await stage();
  const made = film("wanted again");
  const ask = { againIfGone: true };
  await at.source.deliver(made, ask);
  expect((await at.source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
  expect((await at.source.mustOpen(made, ask)).phase).toBe(Phase.FINISHED);
  await rm(join(at.data, "wanted again"), { recursive: true });
  await at.source.deliver(made, { ...ask, savePath: "elsewhere" });
  await at.destination.kill();
  await at.destination.start();
  const source = at.again();
  await source.deliver(made, { ...ask, savePath: "elsewhere" });
  expect((await source.finalized(made.torrentId)).step).toBe(Step.FINISHED);
  const stored = await readFile(join(at.data, "elsewhere/wanted again/film.bin"));
  expect(stored.equals(made.files[0]!.content())).toBe(true);
});
