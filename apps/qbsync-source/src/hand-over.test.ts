import {
  makeTorrent,
  type FakeQbittorrent,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { HandOffRecord_Step as Step } from "@qbit-sidecars/qbsync-protocol";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DestinationStandIn, type StandInOptions } from "./destination-under-test.ts";
import { forStrangers } from "./drain.ts";
import { runSource } from "./source-under-test.ts";

const made = ["film", "music", "book"].map((name, seed) =>
  makeTorrent({ version: "v1", name, seed, pieceLength: 65_536, files: [{ path: "a.bin", size: 150_000 }] }),
);
const [film, music, book] = made.map(({ torrentId }) => torrentId) as [string, string, string];
const handsOff = { hello: { capabilities: ["hand-off"] } };
/** More than any disk has: all that may be handed over is. */
const full = { QBSYNC_SOURCE_MIN_SPACE: "1000000GB" };

/** A stop drains as well, and whoever is on this machine may ask for one. */
const drains = { QBSYNC_SOURCE_DRAIN_ANNOTATION: "" };

/** A source with complete torrents in a qBittorrent that is faked, and a destination that keeps all in memory. */
async function world(
  env: Record<string, string> = {},
  { options = handsOff, tags = {} }: { options?: StandInOptions; tags?: Record<string, string[]> } = {},
) {
  await using closers = new AsyncDisposableStack();
  const data = closers.use(await tempDir());
  const folder = join(data.path, "downloads");
  await mkdir(folder);
  for (const one of made) await one.write(folder);
  const qbittorrent = closers.use(
    await startFakeQbittorrent({
      preferences: { save_path: data.path },
      torrents: made.map(({ torrent, name }) => ({
        torrent,
        savePath: folder,
        tags: tags[name] ?? [],
        fields: { progress: 1, seeding_time: 7200 },
      })),
    }),
  );
  const destination = closers.use(await DestinationStandIn.start(options));
  const own = {
    LOG_LEVEL: "debug",
    QBSYNC_SOURCE_DATA: data.path,
    QBSYNC_SOURCE_QB_URL: qbittorrent.url,
    QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${destination.port}`,
    QBSYNC_SOURCE_SLEEP: "200ms",
    QBSYNC_SOURCE_SETTLE_TIME: "0s",
    QBSYNC_SOURCE_MIN_SPACE: "0",
    ...env,
  };
  const source = closers.use(await runSource(own));
  const resources = closers.move();
  const until = async (condition: () => boolean | Promise<boolean>, what: string) =>
    await waitFor(condition, { what, timeoutMs: 15_000 }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${source.output().slice(-5000)}`);
    });
  return {
    env: own,
    qbittorrent,
    destination,
    source,
    until,
    untilSynced: () => until(() => tagged(qbittorrent, "synced") === 3, "all synced"),
    plan: async () => (await (await fetch(`${source.healthUrl}/plan`)).json()) as Plan,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type Plan = {
  torrents: { name: string; sync: { plan: string; why: string }; clean_up: { plan: string; why: string } }[];
};

const tagged = (qbittorrent: FakeQbittorrent, tag: string): number =>
  qbittorrent.torrents.filter(({ tags }) => (typeof tags === "string" ? tags : "").split(", ").includes(tag))
    .length;
const idsOf = (qbittorrent: FakeQbittorrent): unknown[] => qbittorrent.torrents.map(({ hash }) => hash);

/** `POST /drain?wait`, as a script would ask. */
async function drain(at: { source: { healthUrl: string } }, how = "POST"): Promise<Record<string, unknown>> {
  const response = await fetch(`${at.source.healthUrl}/drain?wait`, { method: how });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the program answers is compared as a whole
  return (await response.json()) as Record<string, unknown>;
}

test("a disk that is short of space is freed: all that is synced seeds there and is removed here; what a tag keeps stays", async () => {
  await using at = await world(
    { ...full, QBSYNC_SOURCE_EXCLUDE_CLEANUP_TAG: "mine" },
    { tags: { film: ["mine"] } },
  );
  await at.until(() => at.qbittorrent.torrents.length === 1, "two to be handed over");
  expect(idsOf(at.qbittorrent)).toEqual([film]);
  expect([...at.destination.handOffs.seeding].toSorted()).toEqual([book, music].toSorted());
  // It is told after it was removed.
  await at.until(() => at.destination.handOffs.tags.has(book), "the destination to be told");
  expect(at.destination.handOffs.tags.get(book)).toEqual(["source-removed"]);
  expect(at.destination.aborted).toEqual([]);
  expect(tagged(at.qbittorrent, "qbsync-handing-off")).toBe(0);
  await at.until(() => at.source.output().includes("nothing can be handed over"), "what is short to be told");
  const { torrents } = await at.plan();
  expect(torrents.find(({ name }) => name === "film")?.clean_up).toEqual({
    plan: "stay",
    why: "its tag says that it stays",
  });
  const counted = async () => await at.source.metric('qbsync_hand_offs_total{outcome="handed_off"}');
  await at.until(async () => (await counted()) === 2, "both to be counted");
  expect(await at.source.metric("qbsync_cleanup_freed_bytes_total")).toBeGreaterThan(300_000);
});

test("what could not be begun once, as on a full disk there, is begun again at one of the next looks", async () => {
  await using at = await world(full);
  const refused = new Set<string>();
  at.destination.handOffs.refuse = (kind, id) => {
    const isFirst = kind === "begin" && !refused.has(id);
    refused.add(kind === "begin" ? id : "");
    return isFirst ? "the disk is full" : undefined;
  };
  await at.until(() => at.qbittorrent.torrents.length === 0, "all to be handed over");
  expect(at.destination.handOffs.seeding.size).toBe(3);
});

test("where there is room, nothing is removed, and /plan says so", async () => {
  await using at = await world();
  await at.untilSynced();
  const why = async () => (await at.plan()).torrents.map(({ clean_up }) => clean_up.why);
  await at.until(async () => (await why()).every((one) => one.startsWith("there is room")), "the reasons");
  expect(at.qbittorrent.torrents).toHaveLength(3);
  expect(at.destination.handOffs.asked).toEqual([]);
});

test("a dry run says once of each what would be handed over, and hands over nothing", async () => {
  await using at = await world();
  await at.untilSynced();
  await at.source[Symbol.asyncDispose]();
  await using dry = await runSource({ ...at.env, ...full, ...drains, QBSYNC_SOURCE_DRY_RUN: "true" });
  const said = () =>
    dry
      .output()
      .split("\n")
      .filter((line) => line.includes("would be handed over"));
  await waitFor(() => said().length >= 3, { what: "the plan", timeoutMs: 15_000 });
  const report = await drain({ source: dry });
  expect(report).toMatchObject({ result: "partly drained", handedOff: 0 });
  expect(said().filter((line) => line.includes("(free space)"))).toHaveLength(3);
  expect(said().filter((line) => line.includes("(drain)"))).toHaveLength(3);
  expect(at.qbittorrent.torrents).toHaveLength(3);
  expect(at.destination.handOffs.asked).toEqual([]);
});

test("a drain hands over all there is, whatever was asked how, and says how far it is", async () => {
  await using at = await world(drains);
  await at.untilSynced();
  const shown = await fetch(`${at.source.healthUrl}/drain`);
  expect(await shown.json()).toEqual({ draining: false, last: null });
  const begun = await fetch(`${at.source.healthUrl}/drain`, { method: "POST" });
  expect(begun.status).toBe(202);
  expect(await begun.json()).toMatchObject({ draining: true });
  expect(await drain(at, "GET")).toMatchObject({ result: "drained", handedOff: 3, left: [] });
  expect(at.qbittorrent.torrents).toEqual([]);
  expect(at.destination.handOffs.seeding.size).toBe(3);
  expect(at.source.output()).toContain("(3 of 3, ");
  const after = await fetch(`${at.source.healthUrl}/drain`);
  expect(await after.json()).toMatchObject({ draining: false, last: { result: "drained", handedOff: 3 } });
});

test("a drain leaves what the destination does not take, runs it again here, and says why", async () => {
  await using at = await world(drains);
  await at.untilSynced();
  at.destination.handOffs.stateOf = (id) => (id === music ? "incomplete" : undefined);
  expect(await drain(at)).toMatchObject({
    result: "partly drained",
    handedOff: 2,
    left: [{ name: "music", why: expect.stringContaining("incomplete") }],
  });
  expect(idsOf(at.qbittorrent)).toEqual([music]);
  expect(at.qbittorrent.torrents[0]?.["state"]).toBe("stalledUP");
});

test("other machines are told how many stay, and not which", async () => {
  await using at = await world({ QBSYNC_SOURCE_DRAIN_ANNOTATION: "qbsync/drain" });
  await at.untilSynced();
  const asked = async (query: string) => {
    const headers = { "x-forwarded-for": "203.0.113.7" };
    return await (await fetch(`${at.source.healthUrl}/drain${query}`, { headers })).json();
  };
  expect(await drain(at)).toEqual({ result: "declined", why: expect.stringContaining("no pod") });
  expect(await asked("?wait")).toEqual({ result: "declined" });
  expect(await asked("")).toEqual({ draining: false, last: { result: "declined" } });
  const left = [{ name: "music", why: "music is shared" }];
  const report = forStrangers({ result: "partly drained", handedOff: 2, freedBytes: 3, left });
  expect(report).toEqual({ result: "partly drained", handedOff: 2, freedBytes: 3, leftCount: 1 });
});

test("a drain at whose destination qBittorrent is away leaves all, and says what is away", async () => {
  await using at = await world(drains);
  await at.untilSynced();
  at.destination.handOffs.refuse = () => "its qBittorrent is away";
  const report = await drain(at);
  expect(report).toMatchObject({ result: "partly drained", handedOff: 0 });
  expect(report["left"]).toEqual(
    ["film", "music", "book"].map((name) => ({
      name,
      why: expect.stringContaining("its qBittorrent is away"),
    })),
  );
  expect(at.qbittorrent.torrents.map(({ state }) => state)).toEqual(["stalledUP", "stalledUP", "stalledUP"]);
});

test("a destination that takes no part in hand-offs is given nothing; the drain says why", async () => {
  await using at = await world({ ...drains, ...full, QBSYNC_SOURCE_DRAIN_TIMEOUT: "1s" }, { options: {} });
  await at.untilSynced();
  const report = await drain(at);
  expect(JSON.stringify(report["left"])).toContain("takes no part in hand-offs");
  const why = async () => (await at.plan()).torrents.map(({ clean_up }) => clean_up.why);
  const isToldSo = async () => (await why()).every((one) => one.includes("takes no part in hand-offs"));
  await at.until(isToldSo, "/plan to say why");
  expect(at.qbittorrent.torrents).toHaveLength(3);
});

test("what was begun by a process before is brought to its end, also where there is room by now", async () => {
  await using at = await world();
  await at.untilSynced();
  await at.source[Symbol.asyncDispose]();
  // The one before has stopped it here and had it started there.
  const { handOffs } = at.destination;
  handOffs.records.set(film, { id: "1", sourceName: "", step: Step.SEEDING });
  handOffs.seeding.add(film);
  // Of another source: none of this one's business.
  handOffs.records.set(book, { id: "2", sourceName: "other", step: Step.BEGUN });
  await using again = await runSource(at.env);
  await at.until(
    () => at.qbittorrent.torrents.length === 3 && !handOffs.seeding.has(film),
    "it to be taken back",
  );
  expect(handOffs.records.get(film)?.step).toBe(Step.TAKEN_BACK);
  expect(handOffs.records.get(book)?.step).toBe(Step.BEGUN);
  // Told once the destination's answer has come.
  await at.until(() => again.output().includes("film goes on seeding here"), "the end to be told");
});

test("a torrent that a person removes when all of it is there seeds there from now on", async () => {
  await using at = await world();
  await at.untilSynced();
  at.destination.handOffs.refuse = (_, id) => (id === music ? "it is not finished" : undefined);
  at.qbittorrent.removeTorrent(film);
  at.qbittorrent.removeTorrent(music);
  const said = (what: string) => at.until(() => at.source.output().includes(what), what);
  await said("film was removed here; the destination seeds it from now on");
  await said("music was removed here and does not seed there");
  expect([...at.destination.handOffs.seeding]).toEqual([film]);
  expect(at.destination.handOffs.tags.get(film)).toEqual(["source-removed"]);
});

test("nothing is removed before qBittorrent's list has been whole for --settle-time, and /plan says that", async () => {
  await using at = await world({ ...full, QBSYNC_SOURCE_SETTLE_TIME: "1h" });
  await at.untilSynced();
  const why = async () => (await at.plan()).torrents.map(({ clean_up }) => clean_up.why);
  const isToldSo = async () => (await why()).every((one) => one.includes("is not known for long enough"));
  await at.until(isToldSo, "the reason");
  expect(at.destination.handOffs.asked).toEqual([]);
});

test("a destination that tells no limits is sent all there is, over one stream", async () => {
  await using at = await world({}, { options: { hello: { limits: undefined } } });
  await at.untilSynced();
  expect(at.destination.arrivals).toHaveLength(9);
  expect(at.destination.openStreams).toBe(1);
});

test("a torrent that ran when its hand-over is taken back runs again, and one that was stopped does not", async () => {
  await using at = await world(drains);
  await at.untilSynced();
  at.qbittorrent.updateTorrent(music, { state: "stoppedUP" });
  at.qbittorrent.updateTorrent(book, { state: "stalledUP" });
  // It begins there, and then somebody wants it to stay here.
  at.destination.handOffs.refuse = (kind) => (kind === "start" ? "not now" : undefined);
  expect(await drain(at)).toMatchObject({ result: "partly drained", handedOff: 0 });
  expect(tagged(at.qbittorrent, "qbsync-handing-off")).toBe(2);
  expect(tagged(at.qbittorrent, "qbsync-handing-off-stopped")).toBe(1);
  at.destination.handOffs.refuse = () => undefined;
  for (const id of [film, music, book])
    at.destination.handOffs.records.set(id, { id: "1", sourceName: "", step: Step.TAKEN_BACK });
  const isAtRest = () =>
    tagged(at.qbittorrent, "qbsync-handing-off") + tagged(at.qbittorrent, "qbsync-handing-off-stopped") === 0;
  await at.until(isAtRest, "the marks to be gone");
  const states = Object.fromEntries(at.qbittorrent.torrents.map(({ hash, state }) => [hash, state]));
  expect(states).toMatchObject({ [film]: "stalledUP", [book]: "stalledUP", [music]: "stoppedUP" });
});
