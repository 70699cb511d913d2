import type { Reading } from "./kind.ts";
import { withoutExponent } from "./number-text.ts";

export type DurationUnit = "ms" | "s" | "min" | "h" | "d";

const unitMs: Readonly<Record<DurationUnit, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const units: readonly { readonly names: RegExp; readonly ms: number }[] = [
  { names: /^(ms|millis|milliseconds?)$/, ms: unitMs.ms },
  { names: /^(s|secs?|seconds?)$/, ms: unitMs.s },
  { names: /^(m|mins?|minutes?)$/, ms: unitMs.min },
  { names: /^(h|hours?)$/, ms: unitMs.h },
  { names: /^(d|days?)$/, ms: unitMs.d },
  { names: /^(w|weeks?)$/, ms: 7 * unitMs.d },
];

/** The shape of a duration, also given to charts. */
export const durationPattern = /^\d+(\.\d+)?( ?[A-Za-z]+( ?\d+(\.\d+)? ?[A-Za-z]+)*)?$/;

/**
 * Reads `30s`, `500ms`, `1h30m`, `7d`, `30 days`; a bare number is in `bareUnit`.
 * The value is in milliseconds, rounded to whole ones.
 */
export function parseDuration(text: string, bareUnit: DurationUnit): Reading<number> {
  const plain = withoutExponent(text);
  if (!durationPattern.test(plain)) return { ok: false, problem: "is not a duration" };
  if (/\d$/.test(plain)) return inRange(Number(plain) * unitMs[bareUnit]);
  let total = 0;
  for (const [, amount, name = ""] of plain.toLowerCase().matchAll(/([\d.]+) ?([a-z]+)/g)) {
    const unit = units.find(({ names }) => names.test(name));
    if (!unit) return { ok: false, problem: "is not a duration: its unit is none of ms, s, m, h, d, w" };
    total += Number(amount) * unit.ms;
  }
  return inRange(total);
}

/** Writes milliseconds in the largest unit that divides them: `90s`, `7d`, `1500ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const unit = (["d", "h", "min", "s"] as const).find((name) => ms % unitMs[name] === 0) ?? "ms";
  return `${ms / unitMs[unit]}${unit === "min" ? "m" : unit}`;
}

function inRange(ms: number): Reading<number> {
  const value = Math.round(ms);
  return Number.isSafeInteger(value) ? { ok: true, value } : { ok: false, problem: "is too long" };
}
