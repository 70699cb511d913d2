import { type Answer, Refusal, json } from "./answers.ts";
import { integer, parts } from "./params.ts";
import type { Call, Routes } from "./route.ts";
import { selectTorrents, theTorrent } from "./select-torrents.ts";
import type { FakeState, FakeTorrent } from "./state.ts";
import { update } from "./torrent.ts";

export const torrentTrackerRoutes: Routes = {
  "torrents/addTrackers": {
    method: "POST",
    noContentSince: "2.12.0",
    needs: ["hash", "urls"],
    run: addTrackers,
  },
  "torrents/editTracker": {
    method: "POST",
    since: "2.2.0",
    noContentSince: "2.12.0",
    needs: ({ profile }) =>
      profile.has("trackerUrlParam") ? ["hash", "url"] : ["hash", "origUrl", "newUrl"],
    run: editTracker,
  },
  "torrents/removeTrackers": {
    method: "POST",
    since: "2.2.0",
    noContentSince: "2.12.0",
    needs: ["hash", "urls"],
    run: removeTrackers,
  },
  "torrents/addPeers": { method: "POST", since: "2.3.0", needs: ["hashes", "peers"], run: addPeers },
};

/** One URL a line; an empty line starts the next tier. */
function addTrackers({ state, params }: Call): void {
  for (const torrent of trackedTorrents(state, params["hash"])) {
    const known = new Set(torrent.trackers.map(({ url }) => url));
    const firstTier = state.profile.atLeast("2.8.4")
      ? 1 + Math.max(-1, ...torrent.trackers.map(({ tier }) => tier))
      : 0;
    const added = parseTrackers(params["urls"] ?? "").filter(({ url }) => !known.has(url));
    const trackers = added.map(({ url, tier }) => ({ url, tier: firstTier + tier }));
    update(state, torrent, { trackers: [...torrent.trackers, ...trackers] });
  }
}

function parseTrackers(text: string): { url: string; tier: number }[] {
  let tier = 0;
  return text.split("\n").flatMap((line) => {
    const url = line.trim();
    if (url === "") tier++;
    return url === "" ? [] : { url, tier };
  });
}

/** From 5.2 on several ids and "all" are understood, and nobody minds one that is not there. @throws Refusal 404 */
function trackedTorrents(state: FakeState, ids: string | undefined): FakeTorrent[] {
  return state.profile.has("manyTrackerHashes")
    ? selectTorrents(state, ids)
    : [theTorrent(state, { hash: ids })];
}

function editTracker({ state, params }: Call): void {
  const { profile } = state;
  const isNew = profile.has("trackerUrlParam");
  const { newUrl, tier } = params;
  const torrent = theTorrent(state, params);
  if (isNew && newUrl === undefined && tier === undefined) {
    throw new Refusal(400, "Must specify at least one of [newUrl, tier]");
  }
  const oldUrl = params[isNew ? "url" : "origUrl"] ?? "";
  if (newUrl === oldUrl && tier === undefined) return;
  const isThere = torrent.trackers.some(({ url }) => url === oldUrl);
  if (isNew && !isThere) throw new Refusal(409, "Tracker not found");
  if (newUrl !== undefined && newUrl !== oldUrl) refuseUrl(torrent, newUrl);
  if (!isThere) throw new Refusal(409, "Tracker not found");
  const edited = { url: newUrl ?? oldUrl, ...(isNew && tier !== undefined && { tier: integer(tier) ?? 0 }) };
  const trackers = torrent.trackers.map((tracker) =>
    tracker.url === oldUrl ? { ...tracker, ...edited } : tracker,
  );
  update(state, torrent, { trackers });
}

/** For Qt nearly every text is a URL. */
function refuseUrl(torrent: FakeTorrent, newUrl: string): void {
  if (newUrl === "") throw new Refusal(400, "New tracker URL is invalid");
  if (torrent.trackers.some(({ url }) => url === newUrl))
    throw new Refusal(409, "New tracker URL already exists");
}

function removeTrackers({ state, params }: Call): void {
  const { profile } = state;
  const isEveryTorrent = profile.atLeast("2.11.0") && params["hash"] === "*";
  const torrents = isEveryTorrent ? [...state.torrents.values()] : trackedTorrents(state, params["hash"]);
  const urls = parts(params["urls"], "|").map((url) =>
    profile.atLeast("2.11.0") ? decodeURIComponent(url) : url,
  );
  for (const torrent of torrents) {
    const trackers = torrent.trackers.filter(({ url }) => !urls.includes(url));
    if (trackers.length === torrent.trackers.length && !profile.has("removeTrackersIsSilent")) {
      throw new Refusal(409, "No trackers were removed");
    }
    update(state, torrent, { trackers });
  }
}

/** Counts addresses that can be read as connected: the fake has no peers unless a test gives it some. */
function addPeers({ state, params }: Call): Answer {
  const peers = (params["peers"] ?? "").split("|");
  const added = peers.filter((peer) =>
    /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]):\d+$/i.test(peer.trim()),
  ).length;
  if (added === 0) throw new Refusal(400, "No valid peers were specified");
  const torrents = selectTorrents(state, params["hashes"]);
  return json(Object.fromEntries(torrents.map(({ id }) => [id, { added, failed: peers.length - added }])));
}
