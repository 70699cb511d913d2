import { Refusal } from "./answers.ts";
import type { Params } from "./params.ts";
import type { FakeState, FakeTorrent } from "./state.ts";

/** Ids are compared without case; anything that is no id names no torrent. */
export function findTorrent(state: FakeState, id: string | undefined): FakeTorrent | undefined {
  return state.torrents.get((id ?? "").toLowerCase());
}

/** @throws Refusal 404 */
export function theTorrent(state: FakeState, params: Params): FakeTorrent {
  const torrent = findTorrent(state, params["hash"]);
  if (torrent === undefined) throw new Refusal(404);
  return torrent;
}

/** "all" alone means every torrent; ids nobody has are passed over, and one named twice is met twice. */
export function selectTorrents(state: FakeState, ids: string | undefined): FakeTorrent[] {
  if (ids === "all") return [...state.torrents.values()];
  return (ids ?? "").split("|").flatMap((id) => findTorrent(state, id) ?? []);
}
