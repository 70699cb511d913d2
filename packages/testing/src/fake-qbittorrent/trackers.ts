import type { Json } from "./answers.ts";
import type { FakeState, FakeTorrent } from "./state.ts";

/** `torrents/trackers`: three rows that are no trackers come first. */
export function trackerRows(state: FakeState, torrent: FakeTorrent): Record<string, Json>[] {
  return [...stickyRows(state, torrent), ...showTrackers(state, torrent)];
}

function stickyRows({ profile, preferences }: FakeState, torrent: FakeTorrent): Record<string, Json>[] {
  const isPrivate = torrent.metainfo.content?.isPrivate ?? false;
  const networks = { DHT: preferences["dht"], PeX: preferences["pex"], LSD: preferences["lsd"] };
  return Object.entries(networks).map(([name, isOn]) => ({
    url: `** [${name}] **`,
    tier: profile.atLeast("2.8.4") ? -1 : "",
    status: isOn === true && !isPrivate ? 2 : 0,
    msg: isPrivate ? "This torrent is private" : "",
    num_peers: 0,
    num_seeds: 0,
    num_leeches: 0,
    num_downloaded: 0,
  }));
}

/** Trackers nobody has answered for yet: the fake announces nothing. */
export function showTrackers({ profile }: FakeState, torrent: FakeTorrent): Record<string, Json>[] {
  return torrent.trackers.map(({ url, tier }) => ({
    url,
    tier,
    status: 1,
    msg: "",
    num_peers: profile.atLeast("2.8.4") ? -1 : 0,
    num_seeds: -1,
    num_leeches: -1,
    num_downloaded: -1,
    ...(profile.has("trackerEndpoints") && {
      endpoints: [],
      min_announce: 0,
      next_announce: 0,
      updating: false,
    }),
  }));
}
