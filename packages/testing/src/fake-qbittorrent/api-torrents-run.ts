import { Refusal } from "./answers.ts";
import { addTorrents } from "./add-torrent.ts";
import { check, deleteFiles } from "./disk.ts";
import { toggle } from "./params.ts";
import type { Call, Route, Routes } from "./route.ts";
import { selectTorrents } from "./select-torrents.ts";
import type { FakeState, FakeTorrent } from "./state.ts";
import { hasMetadata, isComplete, settle, update } from "./torrent.ts";

const stop = (state: FakeState, torrent: FakeTorrent) =>
  update(state, torrent, { isStopped: true, pinnedState: undefined });
const start = (state: FakeState, torrent: FakeTorrent) => run(state, torrent, false);

export const torrentRunRoutes: Routes = {
  "torrents/add": { method: "POST", run: addTorrents },
  "torrents/delete": { method: "POST", needs: ["hashes", "deleteFiles"], run: remove },
  "torrents/pause": { ...forEach(stop), until: "2.11.0" },
  "torrents/resume": { ...forEach(start), until: "2.11.0" },
  "torrents/stop": { ...forEach(stop), since: "2.11.0" },
  "torrents/start": { ...forEach(start), since: "2.11.0" },
  "torrents/recheck": forEach(recheck),
  "torrents/reannounce": { ...forEach(() => {}), since: "2.1.0" },
  "torrents/setForceStart": {
    method: "POST",
    needs: ["hashes", "value"],
    run: ({ state, params }) => {
      const isForced = toggle(params["value"]) === true;
      for (const torrent of selectTorrents(state, params["hashes"])) {
        run(state, torrent, isForced);
      }
    },
  },
  "torrents/increasePrio": queue((ids, chosen) => swapWithNeighbour(ids, chosen)),
  "torrents/decreasePrio": queue((ids, chosen) => swapWithNeighbour(ids.toReversed(), chosen).toReversed()),
  "torrents/topPrio": queue((ids, chosen) => {
    const isChosen = (id: string) => chosen.has(id);
    return [...ids.filter(isChosen), ...ids.filter((id) => !isChosen(id))];
  }),
  "torrents/bottomPrio": queue((ids, chosen) => {
    const isChosen = (id: string) => chosen.has(id);
    return [...ids.filter((id) => !isChosen(id)), ...ids.filter(isChosen)];
  }),
};

function forEach(change: (state: FakeState, torrent: FakeTorrent) => void): Route {
  return {
    method: "POST",
    needs: ["hashes"],
    run: ({ state, params }) => {
      for (const torrent of selectTorrents(state, params["hashes"])) change(state, torrent);
    },
  };
}

export function removeTorrent(state: FakeState, id: string): void {
  state.torrents.delete(id);
  state.queue = state.queue.filter((other) => other !== id);
  state.isUnsettled = true;
}

function remove({ state, params }: Call): void {
  const withFiles = toggle(params["deleteFiles"]) === true;
  for (const torrent of selectTorrents(state, params["hashes"])) {
    if (withFiles) deleteFiles(state, torrent);
    removeTorrent(state, torrent.id);
  }
}

/** Whoever starts looks at the files, if nobody has done so yet. */
function run(state: FakeState, torrent: FakeTorrent, isForced: boolean): void {
  update(state, torrent, { isStopped: false, isForced, pinnedState: undefined });
  if (torrent.isUnchecked) check(state, torrent);
}

/** libtorrent takes it out of the queue for that; what is not complete then joins at the end, without super seeding. */
function recheck(state: FakeState, torrent: FakeTorrent): void {
  if (!hasMetadata(torrent)) return;
  state.queue = state.queue.filter((id) => id !== torrent.id);
  check(state, torrent);
  if (!isComplete(torrent)) update(state, torrent, { isSuperSeeding: false });
}

function queue(reorder: (ids: string[], chosen: ReadonlySet<string>) => string[]): Route {
  return {
    method: "POST",
    needs: ["hashes"],
    run: ({ state, params }) => {
      if (state.preferences["queueing_enabled"] !== true) {
        throw new Refusal(409, "Torrent queueing must be enabled");
      }
      settle(state);
      const chosen = (params["hashes"] ?? "").toLowerCase().split("|");
      state.queue = reorder(state.queue, new Set(chosen));
      state.isUnsettled = true;
    },
  };
}

/** Everyone chosen goes one place up, past whoever is not chosen. */
function swapWithNeighbour(ids: string[], chosen: ReadonlySet<string>): string[] {
  const order = [...ids];
  for (let at = 1; at < order.length; at++) {
    const [before, here] = [order[at - 1] as string, order[at] as string];
    if (chosen.has(here) && !chosen.has(before)) [order[at - 1], order[at]] = [here, before];
  }
  return order;
}
