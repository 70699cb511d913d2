import { Refusal_Reason } from "@qbit-sidecars/qbsync-protocol";

/** What was asked for cannot be done; the message is for the people at the source. */
export class RefusedError extends Error {
  override name = "RefusedError";
  readonly reason: Refusal_Reason;
  readonly retryAfterMs: number;
  /** The absolute path of what is in the way; once it is gone, the same can be tried again. */
  readonly inTheWay: string | undefined;

  constructor(
    message: string,
    reason: Refusal_Reason,
    options: ErrorOptions & { retryAfterMs?: number; inTheWay?: string } = {},
  ) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.inTheWay = options.inTheWay;
  }
}

export const invalid = (message: string): RefusedError => new RefusedError(message, Refusal_Reason.INVALID);

export const conflict = (message: string, options: ErrorOptions & { inTheWay?: string } = {}): RefusedError =>
  new RefusedError(message, Refusal_Reason.CONFLICT, options);
