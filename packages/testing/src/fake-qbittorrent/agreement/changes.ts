import fc from "fast-check";
import { bool, categories, count, farLimits, idLists, ids, paths, record, tags } from "./choices.ts";
import { type Operation, type Params, type Stage, isOld } from "./operation.ts";

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
  // Where it can write: a torrent that cannot be moved is half here and half there, and the fake's is not.
  const savePath = paths(stage).filter((path) => !path.startsWith("/proc"));
  const category = { category: categories, savePath };
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

export function settingsChange(stage: Stage): fc.Arbitrary<Params> {
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

/** Of 4.2 these settle when they like. */
const notOfOld = ["torrents/recheck", "torrents/toggleFirstLastPiecePrio"];

/** Everything that changes something, settings and additions aside: torrents and what they are sorted by most of all. */
export function changesOf(stage: Stage): fc.Arbitrary<Operation> {
  return fc.oneof(
    { weight: 6, arbitrary: anyOf(stage, torrentChanges(stage)) },
    { weight: 5, arbitrary: anyOf(stage, libraryChanges(stage)) },
    { weight: 1, arbitrary: anyOf(stage, transferChanges()) },
  );
}

function anyOf(stage: Stage, changes: Changes): fc.Arbitrary<Operation> {
  const played = Object.entries(changes).filter(([name]) => !(isOld(stage) && notOfOld.includes(name)));
  return fc.oneof(
    ...played.map(([name, params]) =>
      params.map((values): Operation => ({ kind: "change", name, params: values })),
    ),
  );
}

/** Endpoints that change something, for requests that are made the wrong way. */
export function changeNames(stage: Stage): string[] {
  const names = Object.keys({ ...torrentChanges(stage), ...libraryChanges(stage), ...transferChanges() });
  return names.filter((name) => !(isOld(stage) && notOfOld.includes(name)));
}
