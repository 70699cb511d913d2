import type { EndpointName } from "../endpoints.ts";
import { appRows } from "./app.ts";
import { readingRows } from "./torrents-read.ts";
import { runningRows } from "./torrents-run.ts";
import { sourceRows } from "./torrents-sources.ts";
import { sortingRows } from "./categories-tags.ts";
import { settingRows } from "./torrents-settings.ts";
import type { Rows } from "./world.ts";

export { uniqueTorrent, type World } from "./world.ts";

/**
 * One test for each row of the endpoint table: it makes the call through the client's own method and looks at what
 * became of it. A row without a test does not compile.
 */
export const contract: Required<Rows> = {
  ...appRows,
  ...readingRows,
  ...runningRows,
  ...sourceRows,
  ...sortingRows,
  ...settingRows,
};

/** What the fake does not play, because no app needs it or because it has no disk and no process of its own. */
export const notOnTheFake: ReadonlySet<EndpointName> = new Set([
  "app/shutdown",
  "app/getDirectoryContent",
  "app/cookies",
  "app/setCookies",
  "app/processInfo",
  "transfer/banPeers",
  "torrents/recheck",
  "torrents/pieceAvailability",
  "torrents/addWebSeeds",
  "torrents/editWebSeed",
  "torrents/removeWebSeeds",
  "torrents/setSuperSeeding",
]);
