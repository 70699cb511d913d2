/** What a {@link QbitError} is about, as a short word: fit for a metric label or a `switch`. */
export type QbitErrorKind =
  | "auth"
  | "banned"
  | "unreachable"
  | "rejected"
  | "redirect"
  | "notFound"
  | "conflict"
  | "badRequest"
  | "unsupported"
  | "response"
  | "notApplied";

export interface QbitErrorOptions {
  cause?: unknown;
  /** How long to wait before the same call can succeed, when waiting is the cure. */
  retryAfterMs?: number | undefined;
}

/**
 * Base of everything the client throws about qBittorrent (an abort throws the signal's own reason).
 * Messages begin with what was being done, and never hold a password, key or cookie.
 */
export abstract class QbitError extends Error {
  abstract readonly kind: QbitErrorKind;
  /** Milliseconds until a new attempt makes sense; `undefined`: waiting alone will not help. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: QbitErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * The credentials were refused, or there are none and qBittorrent asks for some.
 * With `retryAfterMs` the client itself waits before it shows the same password again (qBittorrent bans an
 * address at the fifth failure and never forgets failures). The message says for how long; `retryAfterMs` is at
 * most a minute, because a call can only notice that qBittorrent was restarted by looking.
 */
export class QbitAuthError extends QbitError {
  readonly kind = "auth";
}

/** qBittorrent refuses every login from this address. The message says for how long; `retryAfterMs` is at most a minute. */
export class QbitBannedError extends QbitError {
  readonly kind = "banned";
}

/** Why no HTTP answer came. `refused` also tells that qBittorrent is not running (or restarting). */
export type UnreachableReason = "refused" | "dns" | "timeout" | "tls" | "reset" | "network" | "other";

/** No answer: nothing listens, the name is unknown, TLS failed, time ran out, the connection broke. */
export class QbitUnreachableError extends QbitError {
  readonly kind = "unreachable";
  readonly reason: UnreachableReason;

  constructor(message: string, options: QbitErrorOptions & { reason: UnreachableReason }) {
    super(message, options);
    this.reason = options.reason;
  }
}

/**
 * 401 on something other than bad credentials: qBittorrent's Host header validation or CSRF protection, or a
 * proxy in front that wants its own login. Logging in again would not help.
 */
export class QbitRejectedError extends QbitError {
  readonly kind = "rejected";
}

/** The answer was a redirect, which the client never follows. */
export class QbitRedirectError extends QbitError {
  readonly kind = "redirect";
  /** Where the server pointed, without query or user info; `undefined` when it said nothing usable. */
  readonly location: string | undefined;

  constructor(message: string, options: QbitErrorOptions & { location?: string | undefined }) {
    super(message, options);
    this.location = options.location;
  }
}

/** An HTTP status other than success, with the beginning of what the server said. */
export abstract class QbitStatusError extends QbitError {
  readonly status: number;
  /** At most 200 characters of the answer's body; empty for JSON that does not fit, which can hold passkeys. */
  readonly excerpt: string;

  constructor(message: string, options: QbitErrorOptions & { status: number; excerpt: string }) {
    super(message, options);
    this.status = options.status;
    this.excerpt = options.excerpt;
  }
}

/** 404: the torrent (or file, category …) that was named does not exist. */
export class QbitNotFoundError extends QbitStatusError {
  readonly kind = "notFound";
}

/** 409: qBittorrent understood, and the state of things forbids it (unknown category, name taken, no metadata yet). */
export class QbitConflictError extends QbitStatusError {
  readonly kind = "conflict";
}

/** 400, 405, 413, 415: qBittorrent does not take the request as it is. */
export class QbitBadRequestError extends QbitStatusError {
  readonly kind = "badRequest";
}

/**
 * This qBittorrent is too old or too new for the call, known from `app/webapiVersion` before anything is sent
 * (or, with an emulated qBittorrent, from its 404).
 */
export class QbitUnsupportedError extends QbitError {
  readonly kind = "unsupported";
}

/** An answer the client cannot use: 5xx, HTML, cut off, too large, not the expected JSON. */
export class QbitResponseError extends QbitStatusError {
  readonly kind = "response";
}

/** qBittorrent accepted a change but did not show it within the deadline. */
export class QbitNotAppliedError extends QbitError {
  readonly kind = "notApplied";
}
