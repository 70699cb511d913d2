import { type Answer, Refusal, json, text } from "./answers.ts";
import { addCategory } from "./categories.ts";
import { check } from "./disk.ts";
import { layOut } from "./content-layout.ts";
import { type Metainfo, readMagnet, readTorrentFile } from "./metainfo.ts";
import { type Params, decimal, integer, parts, toggle } from "./params.ts";
import type { Call } from "./route.ts";
import { absolutePath, categorySavePath, defaultSavePath } from "./save-paths.ts";
import { type FakeFile, type FakeTorrent, type FakeState, logLine } from "./state.ts";
import { textSetting } from "./state.ts";
import { addTag, isTag } from "./tags.ts";
import { torrentId, update, rootFolder } from "./torrent.ts";

type Outcome = { kind: "added"; id: string } | { kind: "pending" } | { kind: "failed" };

/** `torrents/add`: links first, then files by name; one bad file refuses the request, after what came before it was added. */
export function addTorrents(call: Call): Answer {
  const { state, params, files } = call;
  const links = (params["urls"] ?? "").split("\n").flatMap((link) => link.trim() || []);
  const outcomes = links.map((link) => addLink(state, link, params));
  for (const name of [...files.keys()].toSorted()) {
    const metainfo = readTorrentFile(files.get(name) as Buffer);
    if (metainfo === undefined || !canLoad(state, metainfo)) {
      throw new Refusal(415, `Error: '${name}' is not a valid torrent file.`);
    }
    outcomes.push(addMetainfo(state, metainfo, params));
  }
  return state.profile.has("addAnswersJson") ? countedAnswer(outcomes) : wordAnswer(outcomes);
}

/** Before 4.4 a hybrid torrent is a v1 torrent, and a v2 one is none. */
function canLoad({ profile }: FakeState, { infohashV1 }: Metainfo): boolean {
  return profile.has("infohashes") || infohashV1 !== "";
}

function wordAnswer(outcomes: Outcome[]): Answer {
  return text(outcomes.some(({ kind }) => kind !== "failed") ? "Ok." : "Fails.");
}

function countedAnswer(outcomes: Outcome[]): Answer {
  const added = outcomes.flatMap((outcome) => (outcome.kind === "added" ? outcome.id : []));
  const pending = outcomes.filter(({ kind }) => kind === "pending").length;
  if (added.length + pending === 0) throw new Refusal(409);
  const answer = json({
    added_torrent_ids: added,
    failure_count: outcomes.length - added.length - pending,
    pending_count: pending,
    success_count: added.length,
  });
  return pending > 0 ? { ...answer, status: 202 } : answer;
}

/** A web address is downloaded later, so all the answer says is that it was one. The fake never downloads it. */
function addLink(state: FakeState, link: string, params: Params): Outcome {
  if (/^(https?|ftp):\/\//i.test(link)) return { kind: "pending" };
  const metainfo = readMagnet(link);
  if (metainfo === undefined || !canLoad(state, metainfo)) {
    if (!state.profile.has("failedAddLeavesNothing")) makeCategory(state, params);
    return { kind: "failed" };
  }
  return addMetainfo(state, metainfo, params);
}

function addMetainfo(state: FakeState, source: Metainfo, params: Params): Outcome {
  const metainfo = state.profile.has("infohashes") ? source : { ...source, infohashV2: "" };
  const id = torrentId(metainfo);
  if (!state.profile.has("failedAddLeavesNothing")) makeCategory(state, params);
  const existing = state.torrents.get(id);
  if (existing !== undefined) return addAgain(state, existing, metainfo);
  const torrent = newTorrent(state, metainfo, params);
  insert(state, torrent);
  const isTrusted = toggle(params[state.profile.has("seedMode") ? "seedMode" : "skip_checking"]) === true;
  if (isTrusted || !torrent.isStopped || !state.profile.has("stoppedIsUnchecked")) check(state, torrent);
  else update(state, torrent, { isUnchecked: true });
  if (isTrusted && torrent.progress < 1)
    update(state, torrent, { isMissingFiles: metainfo.content !== undefined });
  return { kind: "added", id };
}

/** Up to 4.3 a public torrent that is there already takes over new trackers, and that counts as added. */
function addAgain(state: FakeState, existing: FakeTorrent, { content, trackers }: Metainfo): Outcome {
  const isPrivate = content?.isPrivate === true || existing.metainfo.content?.isPrivate === true;
  if (isPrivate || state.profile.has("duplicateFails")) return { kind: "failed" };
  const known = new Set(existing.trackers.map(({ url }) => url));
  update(state, existing, {
    trackers: [...existing.trackers, ...trackers.filter(({ url }) => !known.has(url))],
  });
  return { kind: "added", id: existing.id };
}

export function insert(state: FakeState, torrent: FakeTorrent): void {
  state.torrents.set(torrent.id, torrent);
  state.queue.push(torrent.id);
  update(state, torrent, {});
  logLine(state, 1, `Added new torrent. Torrent: "${torrent.name}"`);
}

export function newTorrent(state: FakeState, metainfo: Metainfo, params: Params): FakeTorrent {
  const { profile, preferences } = state;
  const stopParam = toggle(params[profile.has("stopStart") ? "stopped" : "paused"]);
  const stopByDefault =
    preferences[profile.has("stopStart") ? "add_stopped_enabled" : "start_paused_enabled"];
  const files = layOut(state, metainfo, params);
  return {
    id: torrentId(metainfo),
    metainfo,
    name: params["rename"]?.trim() || nameOf(metainfo, files),
    files,
    trackers: [...metainfo.trackers],
    webSeeds: [...metainfo.webSeeds],
    ...placeOf(state, params),
    tags: new Set(tagsOf(state, params)),
    isStopped: stopParam ?? stopByDefault === true,
    isForced: profile.atLeast("2.11.4") && toggle(params["forced"]) === true,
    isSequential: toggle(params["sequentialDownload"]) === true,
    isFirstLast: toggle(params["firstLastPiecePrio"]) === true,
    isSuperSeeding: false,
    ...limitsOf(state, params),
    comment: metainfo.comment,
    progress: 0,
    isMissingFiles: false,
    isUnchecked: false,
    pieces: undefined,
    addedOn: Math.floor(state.now() / 1000),
    completedOn: undefined,
    pinnedState: undefined,
    pinned: {},
    peers: {},
    queuePosition: 0,
    isQueued: false,
    news: 0,
    shown: undefined,
  };
}

/** The folder's name when there is one: `contentLayout` may have made it. */
function nameOf(metainfo: Metainfo, files: readonly FakeFile[]): string {
  return rootFolder(files) || metainfo.name || torrentId(metainfo);
}

/** A new category is made; automatic management goes where the category is, whatever save path was asked for. */
function placeOf(
  state: FakeState,
  params: Params,
): Pick<FakeTorrent, "category" | "savePath" | "downloadPath" | "isAutoManaged"> {
  const category = makeCategory(state, params);
  const asked = toggle(params["autoTMM"]);
  const byDefault = state.preferences["auto_tmm_enabled"] === true;
  const path = (params["savepath"] ?? "").trim();
  const isNew = state.profile.has("savePathEndsAutoManagement");
  const isPlaced = isNew && (path !== "" || (params["downloadPath"] ?? "").trim() !== "");
  const isAutoManaged = asked ?? (byDefault && !isPlaced);
  const inCategory = categorySavePath(state, category);
  if (isAutoManaged) return { category, isAutoManaged, savePath: inCategory, downloadPath: "" };
  const followsCategory =
    state.preferences["use_category_paths_in_manual_mode"] === true || (isNew && (asked ?? byDefault));
  const savePath = absolutePath(followsCategory ? inCategory : defaultSavePath(state), path);
  return { category, isAutoManaged, savePath, downloadPath: downloadPathOf(state, params) };
}

/** @returns "" when it cannot be made */
function makeCategory(state: FakeState, params: Params): string {
  const name = params["category"] ?? "";
  const isThere =
    state.categories.has(name) || addCategory(state, name, { savePath: "", downloadPath: undefined });
  return isThere ? name : "";
}

function downloadPathOf(state: FakeState, params: Params): string {
  const isUsed = toggle(params["useDownloadPath"]) ?? state.preferences["temp_path_enabled"] === true;
  if (!isUsed || !state.profile.atLeast("2.8.4")) return "";
  return absolutePath(textSetting(state, "temp_path"), (params["downloadPath"] ?? "").trim());
}

function tagsOf(state: FakeState, params: Params): string[] {
  if (!state.profile.has("addTags")) return [];
  const tags = parts(params["tags"], ",").map((tag) => (state.profile.has("trimmedTags") ? tag.trim() : tag));
  for (const tag of tags) addTag(state, tag);
  return tags.filter(isTag);
}

/** Up to 4.3 a limit that was never set reads as -1, and one that was taken away as 0. */
function speedLimit(value: string | undefined): number {
  const limit = integer(value) ?? 0;
  return limit > 0 ? limit : -1;
}

function limitsOf({ profile }: FakeState, params: Params) {
  const hasShareLimits = profile.atLeast("2.8.1");
  return {
    downloadLimit: speedLimit(params["dlLimit"]),
    uploadLimit: speedLimit(params["upLimit"]),
    ratioLimit: (hasShareLimits ? decimal(params["ratioLimit"]) : undefined) ?? -2,
    seedingTimeLimit: (hasShareLimits ? integer(params["seedingTimeLimit"]) : undefined) ?? -2,
    inactiveSeedingTimeLimit:
      (profile.has("inactiveSeedingTime") ? integer(params["inactiveSeedingTimeLimit"]) : undefined) ?? -2,
    shareLimitAction: params["shareLimitAction"] ?? "Default",
    shareLimitsMode: params["shareLimitsMode"] ?? "Default",
  };
}
