export * from "./errors.ts";
export {
  type AppliedListenPort,
  applyListenPort,
  type ApplyListenPortOptions,
  type ListenState,
} from "./apply-listen-port.ts";
export { type Auth, type AuthSource, chooseAuth } from "./auth.ts";
export type { CallOptions } from "./call.ts";
export { Capabilities } from "./capabilities.ts";
export { QbitClient, type QbitClientOptions } from "./client.ts";
export type { Clock } from "./clock.ts";
export { type Endpoint, type EndpointName, endpoints } from "./endpoints.ts";
export type { QbitEvent } from "./events.ts";
export { type Hashes, torrentId } from "./hashes.ts";
export type { Preferences } from "./preferences.ts";
export type { Probe } from "./probe.ts";
export type { TransferInfo } from "./transfer.ts";
