/**
 * Where a value comes from, cheapest first: that is the order in which conditions are asked. The last five cost
 * one call for each torrent, and are fetched only for torrents whose cheaper conditions leave the answer open.
 */
export const sources = [
  "clock",
  "list",
  "app",
  "transfer",
  "maindata",
  "library",
  "trackerUrls",
  "trackers",
  "files",
  "properties",
  "webseeds",
  "peers",
] as const;
export type Source = (typeof sources)[number];

/** What is fetched for one torrent at a time. */
export type PartName = "trackerUrls" | "trackers" | "files" | "properties" | "webseeds" | "peers";

/** The calls behind each source, for people. */
export const sourceCalls: Readonly<Record<Source, string>> = {
  clock: "no call",
  list: "`torrents/info`, once",
  app: "`app/preferences`, once",
  transfer: "`transfer/info`, once",
  maindata: "`sync/maindata`, once",
  library: "`torrents/info`, once",
  trackerUrls:
    "`torrents/info` with trackers (5.1+) or `sync/maindata` (4.4+), once; else `torrents/trackers` for each",
  trackers: "`torrents/info` with trackers (5.1+), once; else `torrents/trackers` for each",
  files: "`torrents/info` with files (5.2+), once; else `torrents/files` for each",
  properties: "`torrents/properties` for each",
  webseeds: "`torrents/webseeds` for each",
  peers: "`sync/torrentPeers` for each",
};
