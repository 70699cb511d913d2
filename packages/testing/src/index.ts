export { FakeClock } from "./fake-clock.ts";
export { freePort } from "./free-port.ts";
export {
  type MadeFile,
  type MadeTorrent,
  makeTorrent,
  type TorrentOptions,
} from "./torrents/make-torrent.ts";
export { readmeBlock } from "./readme-block.ts";
export { cacheFolder } from "./servers/debian-root.ts";
export { findProgram, ServerUnavailableError } from "./servers/find-program.ts";
export { type QbittorrentVersion, qbittorrentVersionsUnderTest } from "./servers/kinds.ts";
export { type QbittorrentOptions, type RunningQbittorrent, startQbittorrent } from "./servers/qbittorrent.ts";
export { type TempDir, tempDir } from "./temp-dir.ts";
export { waitFor, type WaitForOptions } from "./wait-for.ts";
