import { mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  FinalizeResponse_Step as Step,
  Pause_Reason,
  Phase,
  PieceAnswer_Outcome as Outcome,
  TorrentDescription,
} from "@qbit-sidecars/qbsync-protocol";
import { createLog } from "@qbit-sidecars/service";
import { type MadeTorrent, makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { DataFolder } from "./data-folder.ts";
import { HandlePool } from "./handle-pool.ts";
import { Space } from "./space.ts";
import { TorrentStore, type TorrentStoreOptions } from "./torrent-store.ts";
import { TestDestination } from "./test-destination.ts";
import { TestSource } from "./test-source.ts";

vi.setConfig({ testTimeout: 60_000 });

const pieceLength = 65_536;
const sizeBytes = 300_000;

/** Torrents with another infohash, and the same file under the same path, as on another tracker. */
function crossSeed(source: string, change: { seed?: string; pieceLength?: number; files?: string[] } = {}) {
  const { files = ["film.bin"], ...others } = change;
  return makeTorrent({
    version: "v1",
    name: "film",
    seed: "same",
    pieceLength,
    source,
    files: files.map((path) => ({ path, size: path === "film.bin" ? sizeBytes : 4 * pieceLength })),
    ...others,
  });
}

async function stage() {
  const stack = new AsyncDisposableStack();
  const data = stack.use(await tempDir());
  const argv = [`--data=${data.path}`, "--commit-interval=20ms", "--space-retry=1s"];
  const destination = stack.use(await TestDestination.start(argv));
  const source = stack.use(new TestSource(destination.port));
  return { data: data.path, destination, source, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Opens it and sees that it waits for another one, in words for people. */
async function waits(source: TestSource, made: MadeTorrent, other: MadeTorrent): Promise<void> {
  await source.mustOpen(made);
  const { phase, pause } = await source.state(made.torrentId);
  expect(phase).toBe(Phase.PAUSED);
  expect(pause).toMatchObject({
    reason: Pause_Reason.SAME_FILES,
    detail: expect.stringContaining(`${other.name} (${other.torrentId})`),
  });
}

async function ends(source: TestSource, made: MadeTorrent, about: Partial<TorrentDescription> = {}) {
  await source.deliver(made, about);
  const { step, detail } = await source.finalized(made.torrentId);
  expect({ step, detail }).toEqual({ step: Step.FINISHED, detail: "" });
}

/** It ends without a byte having been sent. */
async function endsUnsent(source: TestSource, made: MadeTorrent): Promise<void> {
  const before = source.sentBytes;
  await ends(source, made);
  expect(source.sentBytes - before).toBe(0);
}

async function expectFilm({ data }: Stage, made: MadeTorrent): Promise<void> {
  const { path, content } = made.files[0]!;
  expect((await readFile(join(data, path))).equals(content())).toBe(true);
}

const described = ({ torrentId, torrent }: MadeTorrent) =>
  TorrentDescription.fromPartial({ torrentId, torrent: Uint8Array.from(torrent) });

/** Without a program around it, for what has no setting. */
async function openStore(options: Pick<TorrentStoreOptions, "quietAtMostMs">) {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await tempDir());
  const ignore = (): void => {};
  const store = stack.use(
    new TorrentStore({
      data: await DataFolder.open(path),
      handles: stack.use(new HandlePool()),
      space: new Space({ free: () => Promise.resolve(1e12), keepFreeBytes: 0 }),
      events: {
        durable: ignore,
        paused: ignore,
        resumed: ignore,
        lost: ignore,
        failed: ignore,
        complete: ignore,
      },
      commit: { intervalMs: 20, bytes: 1e6 },
      spaceRetryMs: 1000,
      log: await createLog({ name: "test", level: "silent", format: "json", output: { write: ignore } }),
      onHashed: ignore,
      ...options,
    }),
  );
  return { store, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function block({ data }: Stage, path: string): Promise<void> {
  await mkdir(dirname(join(data, path)), { recursive: true });
  await writeFile(join(data, path), "somebody else's");
}

describe("torrents with the same file at the same time", () => {
  test("the second waits for the first, and then takes its data without a byte being sent", async () => {
    await using at = await stage();
    const [first, second] = [crossSeed("one"), crossSeed("two", { pieceLength: 32_768 })];
    await at.source.mustOpen(first);
    await waits(at.source, second, first);
    await ends(at.source, first);
    await endsUnsent(at.source, second);
    await expectFilm(at, first);
  });

  test("both begun: pieces of the second are not taken, and both end", async () => {
    await using at = await stage();
    const [first, second] = [crossSeed("one"), crossSeed("two")];
    await at.source.mustOpen(first);
    await waits(at.source, second, first);
    await Promise.all([ends(at.source, first), ends(at.source, second)]);
    expect(at.source.sentBytes).toBe(sizeBytes);
  });

  test("of other content, the second is a conflict that says so, and the first is left as it is", async () => {
    await using at = await stage();
    const [first, second] = [crossSeed("one"), crossSeed("two", { seed: "another" })];
    await at.source.mustOpen(first);
    await waits(at.source, second, first);
    await ends(at.source, first);
    await at.source.deliver(second);
    const { step, detail } = await at.source.finalized(second.torrentId);
    expect(step).toBe(Step.FAILED);
    expect(detail).toContain("film/film.bin is there already, with other content");
    await expectFilm(at, first);
  });

  test("three of them: one after the other, each told for whom it waits", async () => {
    await using at = await stage();
    const made = ["one", "two", "three"].map((name) => crossSeed(name));
    const [first, second, third] = [made[0]!, made[1]!, made[2]!];
    await at.source.mustOpen(first);
    await waits(at.source, second, first);
    await waits(at.source, third, first);
    await at.source.abort(first.torrentId, true);
    await at.source.whenNotPaused(second.torrentId);
    await waits(at.source, third, second);
    await ends(at.source, second);
    await endsUnsent(at.source, third);
    await expectFilm(at, third);
  });

  test("the first is aborted half-way: the second goes on and is sent whole", async () => {
    await using at = await stage();
    const [first, second] = [crossSeed("one"), crossSeed("two")];
    await at.source.mustOpen(first);
    await at.source.whenNotPaused(first.torrentId);
    await at.source.send(first, 0);
    await at.source.answered(first, 0);
    await waits(at.source, second, first);
    await at.source.abort(first.torrentId, true);
    await ends(at.source, second);
    await expectFilm(at, second);
  });

  test("the first needs a person: the second does not wait for that, and keeps its file when the first is aborted", async () => {
    await using at = await stage();
    const files = ["film.bin", "taken.bin"];
    const [first, second] = [crossSeed("one", { files }), crossSeed("two")];
    await block(at, "film/taken.bin");
    await at.source.mustOpen(first);
    await waits(at.source, second, first);
    await at.source.deliver(first);
    expect((await at.source.finalized(first.torrentId)).step).toBe(Step.FAILED);
    await endsUnsent(at.source, second);
    expect(await at.source.abort(first.torrentId, true)).toMatchObject({ aborted: true });
    await expectFilm(at, second);
  });

  test("a restart in the middle: the second waits again, whichever was begun first", async () => {
    await using at = await stage();
    const [first, second] = [crossSeed("one"), crossSeed("two")];
    await at.source.mustOpen(first);
    await at.source.whenNotPaused(first.torrentId);
    await waits(at.source, second, first);
    await at.destination.restart();
    using again = new TestSource(at.destination.port);
    const states = await again.states(first.torrentId, second.torrentId);
    const waiting = states.filter(({ pause }) => pause?.reason === Pause_Reason.SAME_FILES);
    expect(waiting).toHaveLength(1);
    await Promise.all([ends(again, first), ends(again, second)]);
    expect(again.sentBytes).toBe(sizeBytes);
  });

  test("two that exchange their names half-way both end", async () => {
    await using at = await stage();
    const named = (path: string) => ({ renamedFiles: [{ file: 0, path }] });
    const [one, other] = [crossSeed("one"), crossSeed("two", { seed: "another" })];
    await at.source.mustOpen(one, named("a.bin"));
    await at.source.mustOpen(other, named("b.bin"));
    for (const made of [one, other]) {
      await at.source.whenNotPaused(made.torrentId);
      await at.source.send(made, 0);
      await at.source.answered(made, 0);
    }
    await at.source.mustOpen(one, named("b.bin"));
    expect((await at.source.state(one.torrentId)).pause?.reason).toBe(Pause_Reason.SAME_FILES);
    await at.source.mustOpen(other, named("a.bin"));
    await ends(at.source, other, named("a.bin"));
    await ends(at.source, one, named("b.bin"));
    expect((await readFile(join(at.data, "b.bin"))).equals(one.files[0]!.content())).toBe(true);
    expect((await readFile(join(at.data, "a.bin"))).equals(other.files[0]!.content())).toBe(true);
  });

  test("of which other files are selected, none waits", async () => {
    await using at = await stage();
    const files = ["a.bin", "b.bin"];
    const [first, second] = [crossSeed("one", { files }), crossSeed("two", { files })];
    await at.source.mustOpen(first, { unselectedFiles: [1] });
    await at.source.mustOpen(second, { unselectedFiles: [0] });
    await ends(at.source, second, { unselectedFiles: [0] });
    await ends(at.source, first, { unselectedFiles: [1] });
    expect(at.source.sentBytes).toBe(8 * pieceLength);
  });

  test("of which the same file is selected, the second takes it from the first", async () => {
    await using at = await stage();
    const files = ["a.bin", "b.bin"];
    const [first, second] = [crossSeed("one", { files }), crossSeed("two", { files })];
    const about = { unselectedFiles: [1] };
    await at.source.mustOpen(first, about);
    await at.source.mustOpen(second, about);
    await Promise.all([ends(at.source, first, about), ends(at.source, second, about)]);
    expect(at.source.sentBytes).toBe(4 * pieceLength);
  });
});

describe("other selections of the same files, which share pieces", () => {
  const files = ["a.bin", "b.bin", "c.bin"];
  /** Of 300,000 bytes each: no file begins where a piece does. */
  const uneven = (source: string, seed = "same") =>
    makeTorrent({
      version: "v1",
      name: "season",
      seed,
      pieceLength,
      source,
      files: files.map((path) => ({ path, size: sizeBytes })),
    });
  const only = (...selected: string[]) => ({
    unselectedFiles: files.flatMap((path, index) => (selected.includes(path) ? [] : index)),
  });

  async function expectFiles({ data }: Stage, made: MadeTorrent, ...paths: string[]): Promise<void> {
    for (const { path, content } of made.files.filter(({ path: one }) => paths.includes(basename(one))))
      expect((await readFile(join(data, path))).equals(content()), path).toBe(true);
  }

  test("all arrive, one after the other, and each keeps what the others brought", async () => {
    await using at = await stage();
    const made = ["one", "two", "three"].map((name) => uneven(name));
    const wanted = [only("a.bin"), only("c.bin"), only("b.bin")];
    for (const [index, one] of made.entries()) await at.source.mustOpen(one, wanted[index]);
    for (const [index, one] of made.entries()) await ends(at.source, one, wanted[index]);
    await expectFiles(at, made[0]!, ...files);
    await at.destination.restart();
    using again = new TestSource(at.destination.port);
    const phases = await again.states(...made.map(({ torrentId }) => torrentId));
    expect(phases.map(({ phase }) => phase)).toEqual([Phase.FINISHED, Phase.FINISHED, Phase.FINISHED]);
  });

  test("a file of other content is no match for pieces that came before their file was unselected", async () => {
    await using at = await stage();
    const made = uneven("one");
    await at.source.mustOpen(made);
    await at.source.whenNotPaused(made.torrentId);
    // In the midst of b.bin.
    await at.source.send(made, 6);
    expect(await at.source.answered(made, 6)).toBe(Outcome.DURABLE);
    await mkdir(join(at.data, "season"), { recursive: true });
    const other = made.files[1]!.content();
    other.fill("other", 100_000, 101_000);
    await writeFile(join(at.data, "season/b.bin"), other);
    await at.source.mustOpen(made, only("a.bin", "c.bin"));
    await at.source.deliver(made, only("a.bin", "c.bin")).catch(() => {});
    const { step, detail } = await at.source.finalized(made.torrentId);
    expect({ step, detail }).toEqual({ step: Step.FAILED, detail: expect.stringContaining("season/b.bin") });
  });

  test("a byte that goes bad in what stands in the place of a part is sent again", async () => {
    await using at = await stage();
    const [first, second] = [uneven("one"), uneven("two")];
    await ends(at.source, first, only("a.bin"));
    await at.source.deliver(second, only("b.bin"));
    const path = join(at.data, "season/b.bin");
    const isWhole = async () => (await readFile(path)).equals(first.files[1]!.content());
    await waitFor(isWhole, { what: "the whole file in the place of its part" });
    // What was there before it was noted would not be a change. Who was asked to stop has noted it.
    await at.destination.kill("SIGTERM");
    await at.destination.start();
    using source = new TestSource(at.destination.port);
    await using file = await open(path, "r+");
    await file.write(Buffer.alloc(9), 0, 9, 150_000);
    expect((await source.finalized(second.torrentId)).step).toBe(Step.INCOMPLETE);
    await ends(source, second, only("b.bin"));
    expect(await isWhole()).toBe(true);
  });

  test("what stands in the place of a part that another torrent needs stays when its own torrent is dropped", async () => {
    await using at = await stage();
    const [first, second] = [uneven("one"), uneven("two")];
    await ends(at.source, first, only("a.bin"));
    await at.source.deliver(second, only("b.bin"));
    await waitFor(
      async () => (await readFile(join(at.data, "season/b.bin"))).equals(first.files[1]!.content()),
      { what: "the whole file in the place of its part" },
    );
    expect(await at.source.abort(second.torrentId, true)).toMatchObject({ aborted: true });
    await expectFiles(at, first, "a.bin", "b.bin");
  });

  test("the same selection is taken from the first without a byte being sent", async () => {
    await using at = await stage();
    const [first, second] = [uneven("one"), uneven("two")];
    await ends(at.source, first, only("b.bin"));
    const before = at.source.sentBytes;
    await ends(at.source, second, only("b.bin"));
    expect(at.source.sentBytes - before).toBe(0);
    await expectFiles(at, first, "b.bin");
  });

  test("of other content, the second is a conflict, and what the first needs is left as it is", async () => {
    await using at = await stage();
    const [first, second] = [uneven("one"), uneven("two", "another")];
    await ends(at.source, first, only("a.bin"));
    const part = await readFile(join(at.data, "season/b.bin"));
    await at.source.deliver(second, only("b.bin"));
    const { step, detail } = await at.source.finalized(second.torrentId);
    expect(step).toBe(Step.FAILED);
    expect(detail).toContain("is there already, with other content");
    expect((await readFile(join(at.data, "season/b.bin"))).equals(part)).toBe(true);
    await expectFiles(at, first, "a.bin");
  });
});

test("the right file put there by somebody while it is received is taken, and nothing else is left beside it", async () => {
  await using at = await stage();
  const made = crossSeed("one");
  await at.source.mustOpen(made);
  await at.source.whenNotPaused(made.torrentId);
  await at.source.send(made, 0);
  await at.source.answered(made, 0);
  await made.write(at.data);
  await ends(at.source, made);
  await expectFilm(at, made);
  await waitFor(async () => (await readdir(join(at.data, "film"))).join() === "film.bin", {
    what: "one file",
  });
});

test("what was finished once stays when more of it is wanted and that is aborted", async () => {
  await using at = await stage();
  const made = crossSeed("one", { files: ["film.bin", "extra.bin"] });
  await ends(at.source, made, { unselectedFiles: [1] });
  await at.source.mustOpen(made);
  await at.source.whenNotPaused(made.torrentId);
  expect(await at.source.abort(made.torrentId, true)).toMatchObject({ aborted: true });
  await expectFilm(at, made);
});

test("nobody waits for a torrent of which nothing has come for a long time", async () => {
  await using at = await openStore({ quietAtMostMs: 0 });
  const [quiet, next] = [crossSeed("one"), crossSeed("two")];
  const isPaused = ({ torrentId }: MadeTorrent) => at.store.get(torrentId)?.paused !== undefined;
  await at.store.open(described(quiet));
  await at.store.open(described(next));
  await waitFor(() => !isPaused(quiet), { what: "the first to be looked at" });
  await at.store.retryPaused();
  await waitFor(() => !isPaused(next), { what: "the second not to wait" });
  expect(isPaused(quiet)).toBe(false);
});
