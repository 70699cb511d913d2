import { Refusal } from "./answers.ts";
import { hasSubcategories } from "./categories.ts";
import { type Params, integer, parts, toggle } from "./params.ts";
import { showTorrent } from "./show-torrent.ts";
import type { FakeState, FakeTorrent } from "./state.ts";
import type { Fields } from "./sync.ts";
import { stateName } from "./torrent.ts";

const downloading =
  "downloading metaDL forcedMetaDL stalledDL checkingDL pausedDL stoppedDL queuedDL forcedDL".split(" ");
const seeding = "uploading stalledUP checkingUP queuedUP forcedUP".split(" ");
const active = "metaDL forcedMetaDL downloading forcedDL uploading forcedUP moving".split(" ");
const stopped = "pausedDL stoppedDL pausedUP stoppedUP".split(" ");

/** From 5.2 on only who moves bytes is active; before, whoever might at any moment. */
function isActive(state: FakeState, torrent: FakeTorrent, name: string): boolean {
  const { upspeed, dlspeed } = showTorrent(state, torrent);
  if (state.profile.has("activeMeansTraffic")) return Number(upspeed) + Number(dlspeed) > 0;
  return active.includes(name) || (name === "stalledDL" && Number(upspeed) > 0);
}

/** A word that is no filter of the version shows everything. */
function matchesFilter(state: FakeState, torrent: FakeTorrent, filter: string): boolean {
  const name = stateName(state, torrent);
  const hasStopStart = state.profile.has("stopStart");
  switch (filter) {
    case "downloading":
      return downloading.includes(name);
    case "seeding":
      return seeding.includes(name);
    case "completed":
      return seeding.includes(name) || name === "pausedUP" || name === "stoppedUP";
    case "paused":
    case "stopped":
      return hasStopStart !== (filter === "stopped") || stopped.includes(name);
    case "resumed":
    case "running":
      return hasStopStart !== (filter === "running") || !stopped.includes(name);
    case "active":
      return isActive(state, torrent, name);
    case "inactive":
      return !isActive(state, torrent, name);
    case "stalled":
      return name.startsWith("stalled");
    case "stalled_uploading":
      return name === "stalledUP";
    case "stalled_downloading":
      return name === "stalledDL";
    case "checking":
      return name.startsWith("checking");
    case "moving":
      return name === "moving";
    case "errored":
      return name === "error" || name === "missingFiles";
    default:
      return true;
  }
}

/** The torrents `torrents/info` lists, in its order. */
export function listTorrents(state: FakeState, params: Params): FakeTorrent[] {
  const filter = params["filter"] ?? "";
  const isListed = [
    filter && ((torrent: FakeTorrent) => matchesFilter(state, torrent, filter)),
    idFilter(state, params),
    categoryFilter(state, params["category"]),
    tagFilter(state, params["tag"]),
    privateFilter(state, params["private"]),
  ].filter((test) => typeof test === "function");
  const listed = [...state.torrents.values()].filter((torrent) => isListed.every((test) => test(torrent)));
  return page(state, sort(state, listed, params), params);
}

type Test = ((torrent: FakeTorrent) => boolean) | undefined;

/** Before 4.4 ids are compared as they are written. */
function idFilter({ profile }: FakeState, params: Params): Test {
  const ids = parts(params["hashes"], "|");
  if (ids.length === 0) return undefined;
  const wanted = new Set(profile.has("infohashes") ? ids.map((id) => id.toLowerCase()) : ids);
  return ({ id }) => wanted.has(id);
}

/** Before 4.4 an empty word is no question for torrents without a category. */
function categoryFilter(state: FakeState, category: string | undefined): Test {
  if (category === undefined) return undefined;
  return (torrent) =>
    torrent.category === category ||
    (category !== "" && hasSubcategories(state) && torrent.category.startsWith(`${category}/`));
}

function tagFilter({ profile }: FakeState, tag: string | undefined): Test {
  if (tag === undefined || !profile.has("tagFilter")) return undefined;
  const wanted = profile.has("trimmedTags") ? tag.trim() : tag;
  return ({ tags }) => (wanted === "" ? tags.size === 0 : tags.has(wanted));
}

function privateFilter({ profile }: FakeState, value: string | undefined): Test {
  const isPrivate = profile.has("stopStart") ? toggle(value) : undefined;
  return isPrivate === undefined
    ? undefined
    : ({ metainfo }) => (metainfo.content?.isPrivate ?? false) === isPrivate;
}

function sort(state: FakeState, torrents: FakeTorrent[], params: Params): FakeTorrent[] {
  const column = params["sort"] ?? "";
  const sample = torrents[0];
  if (column === "" || sample === undefined) return torrents;
  if (!(column in showTorrent(state, sample))) {
    if (state.profile.has("sortIsChecked")) throw new Refusal(400, "'sort' parameter is invalid");
    return torrents;
  }
  const order = toggle(params["reverse"]) === true ? -1 : 1;
  const value = (torrent: FakeTorrent) => showTorrent(state, torrent)[column] as Fields[string];
  return torrents.toSorted((left, right) => order * compare(value(left), value(right)));
}

function compare(left: Fields[string], right: Fields[string]): number {
  if (left === right || left === undefined || right === undefined || left === null || right === null)
    return 0;
  return left < right ? -1 : 1;
}

/** A negative offset counts from the end. Up to 5.1 one that is out of bounds is none; later there is nothing there. */
function page({ profile }: FakeState, torrents: FakeTorrent[], params: Params): FakeTorrent[] {
  const limit = integer(params["limit"]) ?? 0;
  const asked = integer(params["offset"]) ?? 0;
  const counted = asked < 0 ? torrents.length + asked : asked;
  const isOutside = counted >= torrents.length || counted < 0;
  const offset = isOutside && !profile.has("offsetHasNoDefault") ? 0 : counted;
  return torrents.slice(Math.max(0, offset), limit > 0 ? Math.max(0, offset + limit) : undefined);
}
