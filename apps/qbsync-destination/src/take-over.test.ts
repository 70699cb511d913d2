import { HandOffRecord_Step as Step, SeedingResponse_State as State } from "@qbit-sidecars/qbsync-protocol";
import type { Logger } from "@qbit-sidecars/service";
import { tempDir } from "@qbit-sidecars/testing";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { HandOffFiles } from "./hand-off-files.ts";
import { type SeenTorrent, TakeOver } from "./take-over.ts";

const id = "a".repeat(40);
const other = "b".repeat(40);

/** Whoever runs the destination's process was killed. */
class Killed extends Error {}

/** A destination whose process can be killed before any call of its qBittorrent, with its records on a real disk. */
async function stage() {
  const folder = await tempDir();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  await mkdir(join(folder.path, id));
  const qbittorrent = {
    seen: { name: "film", state: "stoppedUP", progress: 1, tags: ["synced"] } as SeenTorrent | undefined,
    calls: [] as string[],
    missing: undefined as string | undefined,
    now: 0,
    dies: false,
  };
  const call = (what: string, effect: () => void) => async () => {
    if (qbittorrent.dies) throw new Killed();
    qbittorrent.calls.push(what);
    if (qbittorrent.seen !== undefined) effect();
  };
  const start = (): TakeOver =>
    new TakeOver({
      files: new HandOffFiles(folder.path),
      qbittorrent: {
        see: async () => qbittorrent.seen && { ...qbittorrent.seen },
        start: call("start", () => (qbittorrent.seen!.state = "stalledUP")),
        stop: call("stop", () => (qbittorrent.seen!.state = "stoppedUP")),
        addTags: async (_, tags) =>
          call(`tag ${tags.join()}`, () =>
            Object.assign(qbittorrent.seen!, { tags: [...qbittorrent.seen!.tags, ...tags] }),
          )(),
      },
      isFinished: (torrentId) => torrentId === id,
      whyNotOnDisk: async () => qbittorrent.missing,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that it calls
      log: { info() {}, warn() {}, error() {} } as unknown as Logger,
      clock: { monotonic: () => qbittorrent.now },
      signal: new AbortController().signal,
    });
  return { folder, qbittorrent, start, path: join(folder.path, id, "hand-off") };
}

const ask = (kind: "begin" | "start" | "stop" | "removed", handOffId = "1", tags: string[] = []) =>
  ({ kind, id: handOffId, sourceName: "", tags }) as const;

test("begun, started, seen seeding, removed: each is on the disk before it is answered", async () => {
  const { qbittorrent, start, path } = await stage();
  const takeOver = start();
  const stepOnDisk = async (): Promise<unknown> => JSON.parse(await readFile(path, "utf8")).step;
  await takeOver.ask(id, ask("begin"));
  expect(await stepOnDisk()).toBe("begun");
  expect(qbittorrent.calls).toEqual([]);
  expect(await takeOver.ask(id, ask("start"))).toMatchObject({
    state: State.SEEDING,
    handOff: { id: "1", step: Step.SEEDING },
  });
  expect(await stepOnDisk()).toBe("seeding");
  await takeOver.ask(id, ask("removed", "1", ["source-removed"]));
  expect(await stepOnDisk()).toBe("removed");
  await takeOver.settle();
  await takeOver.settle();
  expect(qbittorrent.seen).toEqual({
    name: "film",
    state: "stalledUP",
    progress: 1,
    tags: ["synced", "source-removed"],
  });
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ settled: true });
});

test("what was taken back is never started under its id, also by the next process", async () => {
  const { qbittorrent, start } = await stage();
  await start().ask(id, ask("begin"));
  await start().ask(id, ask("stop"));
  expect(await start().ask(id, ask("start"))).toMatchObject({
    state: State.STOPPED,
    handOff: { step: Step.TAKEN_BACK },
  });
  await start().ask(id, ask("begin"));
  expect((await start().look(id)).handOff?.step).toBe(Step.TAKEN_BACK);
  expect(qbittorrent.calls).toEqual(["stop"]);
});

test("killed between the record and qBittorrent: the same request brings it to its end", async () => {
  const { qbittorrent, start } = await stage();
  await start().ask(id, ask("begin"));
  qbittorrent.dies = true;
  await expect(start().ask(id, ask("start"))).rejects.toThrow(Killed);
  qbittorrent.dies = false;
  expect((await start().look(id)).handOff?.step).toBe(Step.STARTING);
  expect((await start().ask(id, ask("start"))).handOff?.step).toBe(Step.SEEDING);
});

test("killed after it heard that the source has removed it: the next process starts and tags it by itself", async () => {
  const { qbittorrent, start } = await stage();
  qbittorrent.dies = true;
  await expect(start().ask(id, ask("removed", "", ["source-removed"]))).rejects.toThrow(Killed);
  qbittorrent.dies = false;
  const next = start();
  await next.load([id]);
  expect(await next.settle()).toEqual({ waiting: 1 });
  expect(await next.settle()).toEqual({ waiting: 0 });
  expect(qbittorrent.seen).toMatchObject({ state: "stalledUP", tags: ["synced", "source-removed"] });
});

test("what a person has deleted here as well is waited for as long as qBittorrent may take to load it, and then never asked for again", async () => {
  const { qbittorrent, start, path } = await stage();
  const takeOver = start();
  const there = qbittorrent.seen;
  qbittorrent.seen = undefined;
  await takeOver.ask(id, ask("removed", ""));
  expect(await takeOver.settle()).toEqual({ waiting: 1 });
  qbittorrent.now = 500_000;
  qbittorrent.seen = { ...there!, state: "checkingUP" };
  expect(await takeOver.settle()).toEqual({ waiting: 1 });
  qbittorrent.seen = undefined;
  for (const now of [700_000, 1_200_000]) {
    qbittorrent.now = now;
    expect(await takeOver.settle()).toEqual({ waiting: 1 });
  }
  qbittorrent.now = 1_300_000;
  expect(await takeOver.settle()).toEqual({ waiting: 0 });
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ step: "removed", settled: true });
});

test("settled once, it is its own qBittorrent's: a person may stop it", async () => {
  const { qbittorrent, start } = await stage();
  const takeOver = start();
  for (const kind of ["begin", "start", "removed"] as const) await takeOver.ask(id, ask(kind));
  await takeOver.settle();
  qbittorrent.seen!.state = "stoppedUP";
  await takeOver.settle();
  await takeOver.ask(id, ask("removed"));
  await takeOver.settle();
  expect(qbittorrent.seen!.state).toBe("stoppedUP");
});

test.each<[string, SeenTorrent | undefined, State]>([
  ["not there", undefined, State.UNKNOWN],
  ["not complete", { name: "film", state: "stoppedUP", progress: 0.9, tags: [] }, State.NOT_COMPLETE],
  ["without its data", { name: "film", state: "missingFiles", progress: 1, tags: [] }, State.NOT_COMPLETE],
  ["being checked", { name: "film", state: "checkingUP", progress: 0.5, tags: [] }, State.STARTING],
])("what is %s in qBittorrent is not begun and not started", async (_, seen, state) => {
  const { qbittorrent, start } = await stage();
  qbittorrent.seen = seen;
  expect(await start().ask(id, ask("begin"))).toMatchObject({ state, handOff: undefined });
  expect((await start().ask(id, ask("start"))).handOff).toBeUndefined();
  expect(qbittorrent.calls).toEqual([]);
});

test("while one hand-off is under way no other is begun, started or stopped", async () => {
  const { qbittorrent, start } = await stage();
  const takeOver = start();
  await takeOver.ask(id, ask("begin", "1"));
  for (const kind of ["begin", "start", "stop"] as const)
    expect((await takeOver.ask(id, ask(kind, "2"))).handOff).toMatchObject({ id: "1", step: Step.BEGUN });
  expect(qbittorrent.calls).toEqual([]);
});

test("what is not finished is refused, but for being stopped; names that are none are refused", async () => {
  const { qbittorrent, start } = await stage();
  const takeOver = start();
  await expect(takeOver.ask(other, ask("begin"))).rejects.toThrow("not finished");
  await takeOver.ask(other, ask("stop"));
  expect(qbittorrent.calls).toEqual(["stop"]);
  expect((await takeOver.look("../../etc")).handOff).toBeUndefined();
  for (const bad of [
    ask("begin", ""),
    ask("begin", "x".repeat(1000)),
    ask("removed", "", ["a,b"]),
    ask("removed", "", [""]),
  ])
    await expect(takeOver.ask(id, bad)).rejects.toThrow("no id of a hand-off");
});

test.each(["", "{", '{"id":1}', '{"id":"1","source":"","step":"flying","tags":[],"settled":true}'])(
  "a record that says %j starts and stops nothing",
  async (text) => {
    const { qbittorrent, start, path } = await stage();
    await writeFile(path, text);
    await expect(start().ask(id, ask("removed", ""))).rejects.toThrow("no record of a hand-off");
    expect(qbittorrent.calls).toEqual([]);
  },
);

test("data that was deleted by hand is not taken over, whatever qBittorrent says of it", async () => {
  const { qbittorrent, start } = await stage();
  const takeOver = start();
  qbittorrent.missing = "/data/film.mkv is not there any more";
  expect(await takeOver.ask(id, ask("begin"))).toMatchObject({
    state: State.NOT_COMPLETE,
    detail: expect.stringContaining("film.mkv is not there any more"),
    handOff: undefined,
  });
  qbittorrent.missing = undefined;
  await takeOver.ask(id, ask("begin"));
  qbittorrent.missing = "/data/film.mkv is not there any more";
  expect(await takeOver.ask(id, ask("start"))).toMatchObject({ handOff: { step: Step.BEGUN } });
  expect(qbittorrent.calls).toEqual([]);
});

test("data that is deleted by hand before the source has removed its copy is told at the next look", async () => {
  const { qbittorrent, start } = await stage();
  const takeOver = start();
  await takeOver.ask(id, ask("begin"));
  expect(await takeOver.ask(id, ask("start"))).toMatchObject({ handOff: { step: Step.SEEDING } });
  qbittorrent.missing = "/data/film.mkv has 1 bytes instead of 2";
  expect(await takeOver.look(id)).toMatchObject({ state: State.NOT_COMPLETE });
  // Nothing is left at the source: then a part of it is better than none.
  await takeOver.ask(id, ask("stop"));
  await takeOver.ask(id, ask("removed", ""));
  expect(qbittorrent.calls).toEqual(["start", "stop", "start"]);
});
