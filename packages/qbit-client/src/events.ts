import type { UnreachableReason } from "./errors.ts";

/** What happened inside the client, for logs and metrics (the client itself never logs). */
export type QbitEvent =
  /** One HTTP exchange ended with an answer. `endpoint` is the table's name (`app/preferences`), never a URL. */
  | { type: "request"; endpoint: string; method: string; status: number; durationMs: number; bytes: number }
  /** A request that is safe to repeat met a broken connection and is sent once more. */
  | { type: "replay"; endpoint: string }
  /** Logged in. `again`: there was a session before, which qBittorrent no longer knew (restart, expiry, logout). */
  | { type: "login"; again: boolean }
  /** The credentials were refused; the next try of the same ones is `retryAfterMs` away (`undefined`: none). */
  | { type: "loginRefused"; tries: number; retryAfterMs: number | undefined }
  /** qBittorrent has banned this address; no login is sent for `retryAfterMs`. */
  | { type: "banned"; retryAfterMs: number }
  /** qBittorrent no longer accepts the session: it was restarted, or the session expired. */
  | { type: "sessionLost" }
  /** The first request without an answer since the last answer. */
  | { type: "unreachable"; reason: UnreachableReason }
  /** The first answer after `unreachable`. `restarted`: the connection was refused in between. */
  | { type: "reachable"; outageMs: number; restarted: boolean }
  /** An API key is configured, but this qBittorrent predates API keys and lets us in for another reason. */
  | { type: "apiKeyIgnored"; webApi: string };
