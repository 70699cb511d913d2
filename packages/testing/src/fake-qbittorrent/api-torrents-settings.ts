import { relocate } from "./disk.ts";
import { Refusal, json } from "./answers.ts";
import { type Params, decimal, integer, toggle } from "./params.ts";
import type { Call, Route, Routes } from "./route.ts";
import { absolutePath, canWrite, categorySavePath, cleanPath, defaultSavePath } from "./save-paths.ts";
import { findTorrent, selectTorrents, theTorrent } from "./select-torrents.ts";
import { showTorrent } from "./show-torrent.ts";
import type { FakeState, FakeTorrent } from "./state.ts";
import { update } from "./torrent.ts";

export const torrentSettingsRoutes: Routes = {
  "torrents/uploadLimit": { needs: ["hashes"], run: (call) => speedLimits(call, "up_limit") },
  "torrents/downloadLimit": { needs: ["hashes"], run: (call) => speedLimits(call, "dl_limit") },
  "torrents/setUploadLimit": change(["limit"], ({ limit }) => ({
    uploadLimit: Math.max(0, integer(limit) ?? 0),
  })),
  "torrents/setDownloadLimit": change(["limit"], ({ limit }) => ({
    downloadLimit: Math.max(0, integer(limit) ?? 0),
  })),
  "torrents/setShareLimits": { method: "POST", since: "2.0.1", needs: shareLimitParams, run: setShareLimits },
  "torrents/toggleSequentialDownload": change([], (_, { isSequential }) => ({ isSequential: !isSequential })),
  "torrents/toggleFirstLastPiecePrio": change([], (_, { isFirstLast }) => ({ isFirstLast: !isFirstLast })),
  "torrents/setSuperSeeding": change(["value"], ({ value }) => ({ isSuperSeeding: toggle(value) === true })),
  "torrents/setAutoManagement": { method: "POST", needs: ["hashes", "enable"], run: setAutoManagement },
  "torrents/setLocation": { method: "POST", needs: ["hashes", "location"], run: setLocation },
  "torrents/setSavePath": { method: "POST", since: "2.8.4", needs: ["id", "path"], run: setSavePath },
  "torrents/setDownloadPath": { method: "POST", since: "2.8.4", needs: ["id", "path"], run: setDownloadPath },
  "torrents/rename": { method: "POST", needs: ["hash", "name"], run: rename },
  "torrents/setComment": {
    method: "POST",
    since: "2.12.0",
    noContentSince: "2.12.0",
    needs: ["hashes", "comment"],
    run: ({ state, params }) => {
      for (const torrent of selectTorrents(state, params["hashes"])) {
        update(state, torrent, { comment: params["comment"] ?? "" });
      }
    },
  },
};

function change(
  needs: string[],
  changes: (params: Params, torrent: FakeTorrent) => Partial<FakeTorrent>,
): Route {
  return {
    method: "POST",
    needs: ["hashes", ...needs],
    run: ({ state, params }) => {
      for (const torrent of selectTorrents(state, params["hashes"]))
        update(state, torrent, changes(params, torrent));
    },
  };
}

/** Answers under the ids as they were written; -1 for torrents nobody has. */
function speedLimits({ state, params }: Call, field: "up_limit" | "dl_limit") {
  const entries = (params["hashes"] ?? "").split("|").map((id) => {
    const torrent = findTorrent(state, id);
    return [id, torrent ? (showTorrent(state, torrent)[field] ?? -1) : -1];
  });
  return json(Object.fromEntries(entries));
}

function shareLimitParams({ profile }: FakeState): string[] {
  return [
    "hashes",
    "ratioLimit",
    "seedingTimeLimit",
    ...(profile.has("inactiveSeedingTime") ? ["inactiveSeedingTimeLimit"] : []),
    ...(profile.has("shareLimitAction") ? ["shareLimitAction"] : []),
    ...(profile.has("shareLimitsMode") ? ["shareLimitsMode"] : []),
  ];
}

/** -2 is the global limit, -1 none; what cannot be read is 0. */
function setShareLimits({ state, params }: Call): void {
  const { profile } = state;
  const limit = (value: number | undefined, most: number) => {
    const asked = value ?? 0;
    if (asked < -2) return -1;
    return profile.has("shareLimitsUnbounded") ? asked : Math.min(asked, most);
  };
  const minutes = (value: string | undefined) => limit(integer(value), 525_600);
  for (const torrent of selectTorrents(state, params["hashes"])) {
    update(state, torrent, {
      ratioLimit: limit(decimal(params["ratioLimit"]), 9999),
      seedingTimeLimit: minutes(params["seedingTimeLimit"]),
      ...(profile.has("inactiveSeedingTime") && {
        inactiveSeedingTimeLimit: minutes(params["inactiveSeedingTimeLimit"]),
      }),
      ...(profile.has("shareLimitAction") && {
        shareLimitAction: oneOf(params["shareLimitAction"], shareLimitActions),
      }),
      ...(profile.has("shareLimitsMode") && {
        shareLimitsMode: oneOf(params["shareLimitsMode"], shareLimitsModes),
      }),
    });
  }
}

const shareLimitActions = ["Default", "Stop", "Remove", "RemoveWithContent", "EnableSuperSeeding"];
const shareLimitsModes = ["Default", "MatchAny", "MatchAll"];

function oneOf(value: string | undefined, words: readonly string[]): string {
  return words.find((word) => word === value) ?? "Default";
}

function setAutoManagement({ state, params }: Call): void {
  const isAutoManaged = toggle(params["enable"]) === true;
  for (const torrent of selectTorrents(state, params["hashes"])) {
    if (torrent.isAutoManaged === isAutoManaged) continue;
    update(state, torrent, { isAutoManaged });
    relocate(state, torrent, { savePath: categorySavePath(state, torrent.category) });
  }
}

function setLocation({ state, params }: Call): void {
  const location = (params["location"] ?? "").trim();
  if (location === "") throw new Refusal(400, "Save path cannot be empty");
  if (!canWrite(state, location)) throw new Refusal(409, "Cannot make save path");
  for (const torrent of selectTorrents(state, params["hashes"])) {
    update(state, torrent, { isAutoManaged: false });
    relocate(state, torrent, { savePath: absolutePath(defaultSavePath(state), location) });
  }
}

function setSavePath({ state, params }: Call): void {
  const path = params["path"] ?? "";
  if (path === "") throw new Refusal(400, "Save path cannot be empty");
  if (!canWrite(state, path)) throw new Refusal(409, "Cannot create target directory");
  for (const torrent of selectTorrents(state, params["id"])) {
    if (!torrent.isAutoManaged)
      relocate(state, torrent, { savePath: absolutePath(defaultSavePath(state), path) });
  }
}

function setDownloadPath({ state, params }: Call): void {
  const path = params["path"] ?? "";
  if (path !== "" && !canWrite(state, path)) throw new Refusal(409, "Cannot create target directory");
  for (const torrent of selectTorrents(state, params["id"])) {
    if (!torrent.isAutoManaged) update(state, torrent, { downloadPath: cleanPath(path) });
  }
}

function rename({ state, params }: Call): void {
  const name = (params["name"] ?? "").trim().replaceAll(/\r?\n|\r/g, " ");
  if (name === "") throw new Refusal(409, "Incorrect torrent name");
  update(state, theTorrent(state, params), { name });
}
