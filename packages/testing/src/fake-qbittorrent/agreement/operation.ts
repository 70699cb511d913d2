import fc from "fast-check";
import type { FakeVersion } from "../profiles.ts";
import { type PoolName, poolIds, trustedFolder } from "./torrent-pool.ts";

type Params = Record<string, string>;

/** Something a client does; plain data, so that a failing sequence can be printed and played again. */
export type Operation =
  | { kind: "read"; name: string; params: Params }
  | { kind: "change"; name: string; params: Params; files?: readonly PoolName[] }
  /** A change by GET, or a read by POST with nothing in it. */
  | { kind: "wrongMethod"; name: string }
  /** `sync/maindata` with the rid of the last answer that arrived. */
  | { kind: "poll"; isAnswerLost: boolean }
  | { kind: "pollFrom"; rid: number };

/** What the operations choose from. */
export type Stage = { version: FakeVersion; savePath: string; listenPorts: readonly number[] };

const bool = fc.constantFrom("true", "false", "TRUE", "1", "");
const count = fc.constantFrom("0", "1", "1024", "-1", "-2", "-5", "abc", "1.5", "99999999");

/** None that is reached at once: stopping torrents at their limits is not what the fake does. */
const farLimits = fc.constantFrom("60", "-1", "-2", "-5", "99999999");

const categories = fc.constantFrom("films", "tv", "tv/new", "a b", "ünï", "/bad", "bad/", "x//y", "", "nope");
const tags = fc.constantFrom("one", "two", "one,two", " spaced ", "a/b", "ünï", ",", "", "One");
const paths = ({ savePath }: Stage) =>
  fc.constantFrom("", "sub", `${savePath}/else`, "/proc/none", `${savePath}/else/`);

/** Ids that are there, ids that never are, and no ids at all. */
const ids = fc.constantFrom(...Object.values(poolIds()), "f".repeat(40), "zz", "");
const idLists = fc.oneof(
  { weight: 4, arbitrary: ids },
  { weight: 3, arbitrary: fc.array(ids, { minLength: 1, maxLength: 4 }).map((list) => list.join("|")) },
  { weight: 2, arbitrary: fc.constant("all") },
  { weight: 1, arbitrary: ids.map((id) => id.toUpperCase()) },
);

function record(
  fields: Record<string, fc.Arbitrary<string>>,
  needed: readonly string[] = [],
): fc.Arbitrary<Params> {
  const model = fc.record(fields, { requiredKeys: [] });
  const everything = fc.record(fields, {
    requiredKeys: needed.length > 0 ? [...needed] : Object.keys(fields),
  });
  return fc
    .oneof({ weight: 1, arbitrary: model }, { weight: 9, arbitrary: everything })
    .map((params) => params as Params);
}

type Changes = Record<string, fc.Arbitrary<Params>>;

function torrentChanges(stage: Stage): Changes {
  const isNew = stage.version.startsWith("5");
  const [stop, start] = isNew ? ["torrents/stop", "torrents/start"] : ["torrents/pause", "torrents/resume"];
  return {
    [stop]: record({ hashes: idLists }),
    [start]: record({ hashes: idLists }),
    "torrents/pause": record({ hashes: idLists }),
    "torrents/delete": record({ hashes: idLists, deleteFiles: bool }),
    "torrents/setForceStart": record({ hashes: idLists, value: bool }),
    "torrents/setSuperSeeding": record({ hashes: idLists, value: bool }),
    "torrents/toggleSequentialDownload": record({ hashes: idLists }),
    "torrents/toggleFirstLastPiecePrio": record({ hashes: idLists }),
    "torrents/setUploadLimit": record({ hashes: idLists, limit: count }),
    "torrents/setDownloadLimit": record({ hashes: idLists, limit: count }),
    "torrents/setShareLimits": record(
      {
        hashes: idLists,
        ratioLimit: fc.constantFrom("1", "-1", "-2", "2.5", "-9", "100000"),
        seedingTimeLimit: farLimits,
        inactiveSeedingTimeLimit: farLimits,
        shareLimitAction: fc.constantFrom("Default", "Stop", "Nonsense", ""),
        shareLimitsMode: fc.constantFrom("Default", "MatchAll", "Nonsense"),
      },
      [
        "hashes",
        "ratioLimit",
        "seedingTimeLimit",
        "inactiveSeedingTimeLimit",
        "shareLimitAction",
        "shareLimitsMode",
      ],
    ),
    "torrents/increasePrio": record({ hashes: ids }),
    "torrents/decreasePrio": record({ hashes: ids }),
    "torrents/topPrio": record({ hashes: ids }),
    "torrents/bottomPrio": record({ hashes: ids }),
    "torrents/rename": record({ hash: ids, name: fc.constantFrom("new name", "two\nlines", " ", "ünï") }),
    "torrents/setAutoManagement": record({ hashes: idLists, enable: bool }),
    "torrents/setLocation": record({ hashes: idLists, location: paths(stage) }),
    "torrents/filePrio": record({
      hash: ids,
      id: fc.constantFrom("0", "1", "0|1", "9", "x", ""),
      priority: fc.constantFrom("0", "1", "6", "7", "4", "-1", "x"),
    }),
    "torrents/addTrackers": record({ hash: ids, urls: trackerLists }),
    "torrents/removeTrackers": record({ hash: ids, urls: trackerUrls }),
    "torrents/editTracker": record({
      hash: ids,
      origUrl: trackerUrls,
      url: trackerUrls,
      newUrl: trackerUrls,
    }),
    "torrents/addPeers": record({
      hashes: idLists,
      peers: fc.constantFrom("127.0.0.1:9", "nobody", "127.0.0.1:9|x", ""),
    }),
    // One at a time: of several, any comes first to the end of the queue.
    "torrents/recheck": record({ hashes: ids }),
    "torrents/reannounce": record({ hashes: idLists }),
  };
}

const trackerUrls = fc.constantFrom(
  "http://127.0.0.1:9/a",
  "http://127.0.0.1:9/b",
  "http://127.0.0.1:9/announce",
  "nonsense",
);
const trackerLists = fc.constantFrom(
  "http://127.0.0.1:9/a",
  "http://127.0.0.1:9/a\nhttp://127.0.0.1:9/b",
  "",
  "http://127.0.0.1:9/announce",
);

function libraryChanges(stage: Stage): Changes {
  const category = { category: categories, savePath: paths(stage) };
  return {
    "torrents/createCategory": record(category, ["category"]),
    "torrents/editCategory": record(category),
    "torrents/removeCategories": record({ categories: fc.oneof(categories, fc.constant("films\ntv")) }),
    "torrents/setCategory": record({ hashes: idLists, category: categories }),
    "torrents/createTags": record({ tags }),
    "torrents/deleteTags": record({ tags }),
    "torrents/addTags": record({ hashes: idLists, tags }),
    "torrents/removeTags": record({ hashes: idLists, tags }, ["hashes"]),
    ...(stage.version.startsWith("5") && { "torrents/setTags": record({ hashes: idLists, tags }) }),
  };
}

function transferChanges(): Changes {
  return {
    "transfer/setUploadLimit": record({ limit: count }),
    "transfer/setDownloadLimit": record({ limit: count }),
    "transfer/toggleSpeedLimitsMode": fc.constant({}),
    "transfer/setSpeedLimitsMode": record({ mode: count }),
    "app/nothing": fc.constant({}),
    "nothing/at-all": fc.constant({}),
  };
}

function settingsChange(stage: Stage): fc.Arbitrary<Params> {
  const port = fc.constantFrom<unknown>(...stage.listenPorts, String(stage.listenPorts[0]), 0);
  const flag = fc.constantFrom<unknown>(true, false, "true", 1, 0);
  const size = fc.constantFrom<unknown>(0, 1024, "2048", 70_000, 1);
  const settings = fc.record(
    {
      listen_port: port,
      random_port: flag,
      dl_limit: size,
      up_limit: size,
      alt_dl_limit: size,
      max_ratio_enabled: flag,
      max_ratio: fc.constantFrom<unknown>(1, 2.5, -1),
      max_seeding_time_enabled: flag,
      max_seeding_time: fc.constantFrom<unknown>(10, -1),
      queueing_enabled: flag,
      auto_tmm_enabled: flag,
      start_paused_enabled: flag,
      add_stopped_enabled: flag,
      add_trackers: fc.constantFrom<unknown>("http://127.0.0.1:9/added", ""),
      autorun_program: fc.constantFrom<unknown>("/bin/true %K", ""),
      current_network_interface: fc.constantFrom<unknown>("lo", "nope0"),
      torrent_changed_tmm_enabled: flag,
      there_is_no_such_setting: flag,
    },
    { requiredKeys: ["max_ratio", "max_seeding_time"] },
  );
  const json = fc.oneof(
    { weight: 12, arbitrary: settings.map((values) => JSON.stringify(values)) },
    { weight: 1, arbitrary: fc.constantFrom("{bad", "[]", "7", "") },
  );
  return record({ json });
}

/** Of 4.2 only what is common is played. */
function isOld({ version }: Stage): boolean {
  return version.startsWith("4.2");
}

function additions(stage: Stage): fc.Arbitrary<Operation> {
  const params = fc.record(
    {
      paused: bool,
      stopped: bool,
      skip_checking: fc.constantFrom("false", ""),
      seedMode: fc.constantFrom("false", ""),
      category: categories,
      tags: stage.version.startsWith("5") ? tags : tags.filter((tag) => tag.trim() === tag),
      rename: fc.constantFrom("renamed", ""),
      savepath: paths(stage).filter((path) => !path.startsWith("/proc") && !(isOld(stage) && path === "sub")),
      autoTMM: bool,
      dlLimit: count,
      upLimit: count,
      ratioLimit: farLimits,
      seedingTimeLimit: farLimits,
      sequentialDownload: bool,
      ...(!isOld(stage) && { firstLastPiecePrio: bool }),
      contentLayout: fc.constantFrom("Original", "Subfolder", "NoSubfolder", "Nonsense"),
      root_folder: bool,
    },
    { requiredKeys: [] },
  );
  // One at a time: of several files qBittorrent adds any first.
  const files = fc.oneof(
    { weight: 1, arbitrary: fc.constant<readonly PoolName[]>([]) },
    { weight: 4, arbitrary: fc.constantFrom(...poolNames, "broken" as const).map((name) => [name]) },
  );
  const magnets = [`magnet:?xt=urn:btih:${poolIds().magnet}&dn=magnetic`, poolIds().magnet];
  const links = fc.constantFrom("no link", ...(isOld(stage) ? [] : magnets));
  const random = fc
    .tuple(params, files, fc.option(links, { nil: undefined }))
    .map(([given, chosen, urls]) => addition(urls === undefined ? given : { ...given, urls }, chosen));
  return fc.oneof({ weight: 4, arbitrary: random }, { weight: 1, arbitrary: trustedAdditions(stage) });
}

/**
 * Unchecked, where the files are sure to be: what becomes of a torrent that is started while its files are missing
 * differs from one time to the next in the real program.
 */
function trustedAdditions({ savePath }: Stage): fc.Arbitrary<Operation> {
  const trust = {
    skip_checking: "true",
    seedMode: "true",
    autoTMM: "false",
    savepath: `${savePath}/${trustedFolder}`,
  };
  return fc
    .tuple(fc.constantFrom(...poolNames), bool)
    .map(([name, stopped]) => addition({ ...trust, stopped, paused: stopped }, [name]));
}

const poolNames = ["single", "folder", "private", "hybrid", "v2"] as const;

function addition(params: Params, files: readonly PoolName[]): Operation {
  return { kind: "change", name: "torrents/add", params, files };
}

function reads(): fc.Arbitrary<Operation> {
  const perTorrent = ["properties", "files", "trackers", "webseeds", "pieceStates", "pieceHashes"];
  const about = fc
    .tuple(fc.constantFrom(...perTorrent), record({ hash: ids }))
    .map(([action, params]): Operation => ({ kind: "read", name: `torrents/${action}`, params }));
  const info = record(
    {
      filter: fc.constantFrom(
        "all",
        "downloading",
        "seeding",
        "completed",
        "paused",
        "stopped",
        "resumed",
        "running",
        "active",
        "inactive",
        "stalled",
        "errored",
        "nonsense",
      ),
      category: categories,
      tag: tags,
      hashes: idLists,
      sort: fc.constantFrom("hash", "nonsense"),
      reverse: bool,
      limit: fc.constantFrom("1", "2", "-1", "x"),
      offset: fc.constantFrom("1", "-1", "50", "-50", "x"),
    },
    ["sort"],
  ).map((params): Operation => ({
    kind: "read",
    name: "torrents/info",
    params: { sort: "hash", ...params },
  }));
  const limits = fc
    .tuple(fc.constantFrom("torrents/uploadLimit", "torrents/downloadLimit"), record({ hashes: idLists }))
    .map(([name, params]): Operation => ({ kind: "read", name, params }));
  const plain = fc
    .constantFrom(
      "app/preferences",
      "app/defaultSavePath",
      "app/webapiVersion",
      "transfer/info",
      "transfer/uploadLimit",
      "transfer/downloadLimit",
      "transfer/speedLimitsMode",
      "torrents/categories",
      "torrents/tags",
      "torrents/info",
      "torrents/count",
    )
    .map((name): Operation => ({
      kind: "read",
      name,
      params: name === "torrents/info" ? { sort: "hash" } : {},
    }));
  return fc.oneof(about, { weight: 2, arbitrary: info }, limits, plain);
}

/** Its magnet links, speed limits and first-and-last-piece flags settle when they like. */
const notOfOld = [
  "torrents/setUploadLimit",
  "torrents/setDownloadLimit",
  "torrents/toggleFirstLastPiecePrio",
];

/** One step of a random sequence. */
function operations(stage: Stage): fc.Arbitrary<Operation> {
  const all = { ...torrentChanges(stage), ...libraryChanges(stage), ...transferChanges() };
  const played = Object.entries(all).filter(([name]) => !(isOld(stage) && notOfOld.includes(name)));
  const changes = Object.fromEntries(played);
  const change = fc.oneof(
    ...Object.entries(changes).map(([name, params]) =>
      params.map((values): Operation => ({ kind: "change", name, params: values })),
    ),
  );
  const settings = settingsChange(stage).map((params): Operation => ({
    kind: "change",
    name: "app/setPreferences",
    params,
  }));
  const wrong = fc
    .constantFrom(...Object.keys(changes), "torrents/add", "app/setPreferences", "auth/logout")
    .map((name): Operation => ({ kind: "wrongMethod", name }));
  const polls = fc.oneof(
    { weight: 3, arbitrary: fc.constant<Operation>({ kind: "poll", isAnswerLost: false }) },
    { weight: 1, arbitrary: fc.constant<Operation>({ kind: "poll", isAnswerLost: true }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(0, 1, 2, 7, -1).map((rid): Operation => ({ kind: "pollFrom", rid })),
    },
  );
  return fc.oneof(
    { weight: 10, arbitrary: change },
    { weight: 5, arbitrary: additions(stage) },
    { weight: 3, arbitrary: settings },
    { weight: 6, arbitrary: reads() },
    { weight: 5, arbitrary: polls },
    { weight: 1, arbitrary: wrong },
  );
}

/** A random sequence: it begins with some torrents, so that there is something to do things to. */
export function sequences(stage: Stage, maxLength: number): fc.Arbitrary<readonly Operation[]> {
  const names = fc.subarray([...poolNames], { minLength: 1 });
  const beginning = fc.tuple(names, bool).map(([chosen, stopped]) =>
    chosen.map((name): Operation => ({
      kind: "change",
      name: "torrents/add",
      params: { stopped, paused: stopped },
      files: [name],
    })),
  );
  const rest = fc.array(operations(stage), { minLength: 1, maxLength, size: "max" });
  return fc.tuple(beginning, rest).map(([first, then]) => [...first, ...then]);
}
