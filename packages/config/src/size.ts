import type { Reading } from "./kind.ts";
import { withoutExponent } from "./number-text.ts";

export type SizeUnit = "B" | "kB" | "MB" | "GB" | "TB" | "KiB" | "MiB" | "GiB" | "TiB";

const largestFirst: readonly (readonly [SizeUnit, number])[] = [
  ["TiB", 1024 ** 4],
  ["TB", 1000 ** 4],
  ["GiB", 1024 ** 3],
  ["GB", 1000 ** 3],
  ["MiB", 1024 ** 2],
  ["MB", 1000 ** 2],
  ["KiB", 1024],
  ["kB", 1000],
  ["B", 1],
];

/** The shape of a size, also given to charts. */
export const sizePattern = /^(\d+(?:\.\d+)?) ?(?:([KkMmGgTt])([Ii])?)?[Bb]?$/;

/**
 * Reads `50GB`, `512MiB`, `1.5 G`, `50Gi`; kB, MB, GB and TB are powers of 1000, KiB, MiB, GiB and TiB of
 * 1024. A bare number is in `bareUnit`. The value is in bytes, rounded to whole ones.
 */
export function parseSize(text: string, bareUnit: SizeUnit): Reading<number> {
  const plain = withoutExponent(text);
  const match = sizePattern.exec(plain);
  if (!match) return { ok: false, problem: "is not a size" };
  const factor = /\d$/.test(plain) ? bytesIn(bareUnit) : factorOf(match[2], match[3] !== undefined);
  const bytes = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(bytes) ? { ok: true, value: bytes } : { ok: false, problem: "is too large" };
}

/** Writes bytes in the largest unit that divides them: `50GB`, `512MiB`, `1B`. */
export function formatSize(bytes: number): string {
  const whole = bytes === 0 ? undefined : largestFirst.find(([, factor]) => bytes % factor === 0);
  const [unit, factor] = whole ?? ["B", 1];
  return `${bytes / factor}${unit}`;
}

const bytesIn = (unit: SizeUnit): number => largestFirst.find(([name]) => name === unit)?.[1] ?? 1;

function factorOf(prefix: string | undefined, binary: boolean): number {
  return (binary ? 1024 : 1000) ** " kmgt".indexOf(prefix?.toLowerCase() ?? " ");
}
