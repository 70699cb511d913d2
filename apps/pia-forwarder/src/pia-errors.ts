type PiaErrorOptions = { cause?: unknown };

/** What a {@link PiaError} is about, as a short word. */
export type PiaErrorKind =
  | "unreachable"
  | "certificate"
  | "unauthorized"
  | "login"
  | "no token"
  | "rate limit"
  | "signature"
  | "expired"
  | "busy"
  | "refused"
  | "response";

/** Base of everything that can go wrong with PIA. Messages hold no token, payload, signature or password. */
export abstract class PiaError extends Error {
  abstract readonly kind: PiaErrorKind;
  /** How long to wait at least before the next step, in ms; set by who plans it. */
  retryAfterMs: number | undefined;

  constructor(message: string, { cause }: PiaErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
  }
}

/** No answer: refused, timed out, reset, no route. The tunnel may be down, or the server does not forward ports. */
export class PiaUnreachableError extends PiaError {
  readonly kind = "unreachable";
}

/** The server's certificate is not what was expected. */
export class PiaCertificateError extends PiaError {
  readonly kind = "certificate";
  /** The names on the certificate, when it is PIA's but for another server. */
  readonly names: readonly string[];

  constructor(message: string, options: PiaErrorOptions & { names?: readonly string[] }) {
    super(message, options);
    this.names = options.names ?? [];
  }
}

/** 401 "Unauthorized client": the token is not good, or the server is asked from outside its tunnel. */
export class PiaUnauthorizedError extends PiaError {
  readonly kind = "unauthorized";
}

/** The token endpoint refuses user name and password. */
export class PiaLoginError extends PiaError {
  readonly kind = "login";
}

/** There is nothing to log in with. */
export class PiaNoTokenError extends PiaError {
  readonly kind = "no token";
}

/** "Try again later": the lock lasts longer than two minutes, and longer still for who keeps trying. */
export class PiaRateLimitError extends PiaError {
  readonly kind = "rate limit";
}

/** "bad signature": this grant is worthless. */
export class PiaSignatureError extends PiaError {
  readonly kind = "signature";
}

/** "port expired": this grant has come to its end. */
export class PiaExpiredError extends PiaError {
  readonly kind = "expired";
}

/** "Port N is busy. Please use another server": somebody else has this port there. */
export class PiaBusyError extends PiaError {
  readonly kind = "busy";
}

/** PIA says no in words we do not know. */
export class PiaRefusedError extends PiaError {
  readonly kind = "refused";
}

/** Not an answer of PIA's: HTML, nothing at all, a redirect, a 5xx. */
export class PiaResponseError extends PiaError {
  readonly kind = "response";
}
