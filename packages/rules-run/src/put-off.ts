import type { Job, Outcome } from "@qbit-sidecars/jobs";
import { QbitError, type QbitErrorKind } from "@qbit-sidecars/qbit-client";

export type Patience = {
  /** How long a job waits for a qBittorrent that cannot be read before it fails. */
  readonly forMs: number;
  /** Epoch ms. What a job waited before is not held against it: nobody was there to look. */
  readonly fromMs: number;
  /** Waits before a job is started again; the last one is that of all further ones. */
  readonly delaysMs: readonly number[];
};

export const patienceDefaults = {
  forMs: 86_400_000,
  delaysMs: [5_000, 30_000, 120_000, 300_000],
} as const;

/** However old, a job fails only after so many starts: the first may come when qBittorrent has just gone. */
const fewestStarts = 4;

/** Faults that no waiting and nobody at qBittorrent mends: they are ours, or only another version helps. */
const hopeless: ReadonlySet<QbitErrorKind> = new Set(["unsupported", "badRequest"]);

/** Faults that last until a person changes something. A job that waits for that loses nothing. */
const personal: ReadonlySet<QbitErrorKind> = new Set(["auth", "banned", "rejected", "redirect"]);

/** Whether the same reading may succeed later. */
export function mayHeal(err: unknown): err is QbitError {
  return err instanceof QbitError && !hopeless.has(err.kind);
}

export function needsSomebody({ kind }: QbitError): boolean {
  return personal.has(kind);
}

/** What becomes of a job whose run could not read qBittorrent, for the reason `why`. */
export function putOff(
  { attempts, createdAt }: Pick<Job, "attempts" | "createdAt">,
  why: string,
  { nowMs, patience }: { nowMs: number; patience: Patience },
): Outcome {
  const sinceMs = Math.max(Date.parse(createdAt), patience.fromMs);
  const untilMs = sinceMs + patience.forMs;
  if (nowMs >= untilMs && attempts >= fewestStarts)
    return { kind: "failed", error: `${why}; it was waited for since ${isoOf(sinceMs)}` };
  const delayMs = patience.delaysMs[attempts - 1] ?? patience.delaysMs.at(-1) ?? 0;
  return { kind: "put off", reason: `${why}; it is waited for until ${isoOf(untilMs)}`, delayMs };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
