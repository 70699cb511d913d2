export { FakeQbittorrent, startFakeQbittorrent } from "./fake-qbittorrent.ts";
export type { FakeClockLike, FakeQbittorrentOptions } from "./options.ts";
export type { Calls, RecordedCall } from "./calls.ts";
export type { Fault, Faults } from "./faults.ts";
export type { TorrentSpec } from "./made-up-torrents.ts";
export type { FakeVersion } from "./profiles.ts";
