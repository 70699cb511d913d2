export { type ChromiumProgram, findChromium, isChromiumMissing } from "./chromium/chromium.ts";
export {
  type Authority,
  type Certificate,
  type CertificateOptions,
  certificateAuthority,
  type LeafOptions,
  selfSignedCertificate,
} from "./certificate.ts";
export { FakeClock } from "./fake-clock.ts";
export { freePort } from "./free-port.ts";
export { isLoopback, type OpenSocket, openSockets } from "./open-sockets.ts";
export { processAlive } from "./process-alive.ts";
export { readmeBlock } from "./readme-block.ts";
export { ServerUnavailableError } from "./servers/find-program.ts";
export { type NtfyVersion, type QbittorrentVersion, qbittorrentVersionsUnderTest } from "./servers/kinds.ts";
export { type NtfyOptions, type NtfyUser, type RunningNtfy, startNtfy } from "./servers/ntfy.ts";
export { type QbittorrentOptions, type RunningQbittorrent, startQbittorrent } from "./servers/qbittorrent.ts";
export { type RedisOptions, type RunningRedis, startRedis } from "./servers/redis.ts";
export { isMissing, type ServerName } from "./servers/server-at-hand.ts";
export { type TempDir, tempDir } from "./temp-dir.ts";
export { tiedToThisProcess } from "./tied-to-this-process.ts";
export {
  type MadeFile,
  type MadeTorrent,
  makeTorrent,
  type TorrentOptions,
} from "./torrents/make-torrent.ts";
export { isKubectlMissing, runKubectl } from "./servers/kubectl.ts";
export { isPromtoolMissing, runPromtool } from "./servers/promtool.ts";
export { seededRandom } from "./fake-qbittorrent/random.ts";
export { type ShiftableClock, shiftableClock } from "./servers/shiftable-clock.ts";
export { waitFor, type WaitForOptions } from "./wait-for.ts";
export * from "./fake-qbittorrent/index.ts";
export * from "./fake-pia/index.ts";
export * from "./fake-ntfy/index.ts";
export * from "./go-programs/index.ts";
export * from "./run-doctor.ts";
