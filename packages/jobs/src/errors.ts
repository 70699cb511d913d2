/** Base of what the queue throws. */
export class QueueError extends Error {
  override readonly name: string = "QueueError";
}

export type OpenFault =
  | "in use"
  | "corrupt"
  | "not writable"
  | "not migrated"
  | "too new"
  | "evicts"
  | "unreachable";

/** The queue cannot be used as it is set up; the message says what to do. */
export class QueueOpenError extends QueueError {
  override readonly name = "QueueOpenError";
  readonly fault: OpenFault;

  constructor(fault: OpenFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** The store does not take or give data at the moment (disk full, Redis away): worth trying again. */
export class QueueUnavailableError extends QueueError {
  override readonly name = "QueueUnavailableError";
}

/** The run is no longer held: another worker may be writing by now. */
export class RunLostError extends QueueError {
  override readonly name = "RunLostError";
  readonly reason: "lease" | "hung" | "closed";

  constructor(reason: "lease" | "hung" | "closed", message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
