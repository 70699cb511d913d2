export {
  type FakeClockLike,
  FakeQbittorrent,
  type FakeQbittorrentOptions,
  startFakeQbittorrent,
} from "./fake-qbittorrent.ts";
export type { Calls, RecordedCall } from "./calls.ts";
export type { Fault, Faults } from "./faults.ts";
export type { TorrentSpec } from "./made-up-torrents.ts";
export type { FakeVersion } from "./profiles.ts";
