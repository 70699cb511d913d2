import type { FakeVersion } from "../profiles.ts";
import type { PoolName } from "./torrent-pool.ts";

export type Params = Record<string, string>;

/** Something a client does; plain data, so that a failing sequence can be printed and played again. */
export type Operation =
  | { kind: "read"; name: string; params: Params }
  | { kind: "change"; name: string; params: Params; files?: readonly PoolName[] }
  /** A change by GET, or a read by POST with nothing in it. */
  | { kind: "wrongMethod"; name: string }
  /** `sync/maindata` with the rid of the last answer that arrived. */
  | { kind: "poll"; isAnswerLost: boolean }
  | { kind: "pollFrom"; rid: number };

/** What the operations choose from. */
export type Stage = { version: FakeVersion; savePath: string; listenPorts: readonly number[] };

/** Of 4.2 only what is common is played. */
export function isOld({ version }: Pick<Stage, "version">): boolean {
  return version.startsWith("4.2");
}
