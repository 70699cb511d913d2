import type { Json, JsonObject, Outcome } from "./contract.ts";

/** What a settled job's record becomes. Times are epoch milliseconds. */
export type RecordChange =
  | {
      readonly id: string;
      readonly status: "completed" | "failed";
      readonly endedAtMs: number;
      readonly result: JsonObject | null;
      readonly error: string | null;
      readonly details: Json | undefined;
    }
  | {
      readonly id: string;
      readonly status: "pending";
      /** Undefined: at once, ahead of younger jobs. */
      readonly wait: { readonly dueMs: number; readonly reason: string } | undefined;
      /** A returned job was not tried. */
      readonly attempts: number;
      readonly notReady: number;
    };

export type Settling = {
  readonly nowMs: number;
  readonly delaysMs: readonly number[];
};

/** @param job what it was when its run began; `notReady` counts how often it came back */
export function settleJob(
  job: { readonly id: string; readonly attempts: number; readonly notReady: number },
  outcome: Outcome,
  { nowMs, delaysMs }: Settling,
): RecordChange {
  const { id, attempts, notReady } = job;
  if (outcome.kind === "returned")
    return { id, status: "pending", wait: undefined, attempts: attempts - 1, notReady };
  if (outcome.kind === "failed") {
    const { error, details } = outcome;
    return { id, status: "failed", endedAtMs: nowMs, result: null, error, details };
  }
  if (outcome.kind === "put off") {
    const wait = { dueMs: nowMs + outcome.delayMs, reason: outcome.reason };
    return { id, status: "pending", wait, attempts, notReady };
  }
  const { result, details } = outcome;
  const ended = { id, status: "completed", endedAtMs: nowMs, error: null, details } as const;
  if (outcome.kind === "completed") return { ...ended, result };
  const delay = delaysMs[notReady];
  if (delay === undefined) return { ...ended, result: { ...result, not_ready: outcome.reason } };
  return {
    id,
    status: "pending",
    wait: { dueMs: nowMs + delay, reason: outcome.reason },
    attempts,
    notReady: notReady + 1,
  };
}
