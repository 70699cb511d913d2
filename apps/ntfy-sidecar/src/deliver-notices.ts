import type { Ledger } from "./ledger.ts";
import { NtfyAuthError, NtfyLimitError, NtfyRefusedError } from "./ntfy.ts";
import type { Notice } from "./outbox.ts";
import type { Pace } from "./pace.ts";

/** Where notices go. */
type Receiver = {
  /** @throws when it did not arrive, or nobody knows whether it did */
  send(notice: Notice, signal: AbortSignal): Promise<void>;
};

export type Delivery = { kind: "sent" | "dropped"; notice: Notice; why?: string };

export type DeliverOptions = {
  ledger: Ledger;
  receiver: Receiver;
  pace: Pace;
  clock: { now(): number };
  onDelivery: (delivery: Delivery) => void;
};

/** `waitMs` until more may be sent, `Infinity` when nothing waits; `reason` when that is not the usual pace. */
export type DeliverResult = { waitMs: number; reason?: string };

/** So that a step of the loop is short, however much waits. */
const mostInOneGo = 20;

/** A wait within the server's own pace; beyond it somebody should know. */
const usualWaitMs = 60_000;

/**
 * Sends what is in the outbox, what matters first, as fast as the server allows. Each notice is on the disk before it
 * is sent, and leaves it only after the server has taken it: whatever happens in between, it is sent again under the
 * same sequence id, which a reader that knows sequences shows once.
 *
 * @throws NtfyError when the server could not be reached or did not take it; everything stays in the outbox
 */
export async function deliverNotices(options: DeliverOptions, signal: AbortSignal): Promise<DeliverResult> {
  const { ledger, pace, clock } = options;
  for (let sent = 0; sent < mostInOneGo; sent += 1) {
    const notice = ledger.outbox.next();
    if (notice === undefined) return { waitMs: Infinity };
    // What came while it was written is for the next turn: sent before it is kept, it could sound twice.
    await ledger.save();
    if (notice !== ledger.outbox.next()) continue;
    const waitMs = pace.waitMs(notice.kind === "progress" ? "progress" : "important", clock.now());
    if (waitMs > 0) return waiting(notice, waitMs);
    pace.take(clock.now());
    const refused = await deliver(notice, options, signal);
    if (refused !== undefined) return refused;
  }
  return { waitMs: 0 };
}

async function deliver(
  notice: Notice,
  { ledger, receiver, pace, clock, onDelivery }: DeliverOptions,
  signal: AbortSignal,
): Promise<DeliverResult | undefined> {
  try {
    await receiver.send(notice, signal);
    pace.accepted();
    ledger.settle(notice, pace.today);
    await ledger.save();
    onDelivery({ kind: "sent", notice });
    return undefined;
  } catch (error) {
    if (error instanceof NtfyLimitError) {
      const waitMs = pace.refused(error, clock.now());
      return { waitMs, reason: limitReason(error) };
    }
    // So that a wake does not ask again at once: after 30 wrong passwords ntfy shuts the door.
    if (error instanceof NtfyAuthError)
      pace.refused({ reason: "requests", retryAfterMs: error.retryAfterMs }, clock.now());
    if (!(error instanceof NtfyRefusedError)) throw error;
    if (notice.plain === undefined && notice.kind !== "clear") {
      ledger.outbox.reword(notice, { ...notice, plain: true });
    } else {
      ledger.settle(notice, pace.today);
      onDelivery({ kind: "dropped", notice, why: error.message });
    }
    return undefined;
  }
}

function waiting({ kind }: Notice, waitMs: number): DeliverResult {
  if (waitMs <= usualWaitMs) return { waitMs };
  return {
    waitMs,
    reason:
      kind === "progress"
        ? "progress waits: the rest of the day's messages is kept for what matters"
        : "ntfy has had enough for now; notices wait",
  };
}

function limitReason({ reason }: NtfyLimitError): string {
  return reason === "quota"
    ? "ntfy takes no more messages today; notices wait"
    : "ntfy has had enough for now; notices wait";
}
