import type { Reading } from "./kind.ts";

export type SizeUnit = "B" | "kB" | "MB" | "GB" | "TB" | "KiB" | "MiB" | "GiB" | "TiB";

const unitBytes: Readonly<Record<SizeUnit, number>> = {
  B: 1,
  kB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};
const largestFirst = (Object.keys(unitBytes) as SizeUnit[]).toSorted((a, b) => unitBytes[b] - unitBytes[a]);

/** The shape of a size, also given to charts. */
export const sizePattern = /^(\d+(?:\.\d+)?) ?(?:([KkMmGgTt])([Ii])?)?[Bb]?$/;

/**
 * Reads `50GB`, `512MiB`, `1.5 G`, `50Gi`; kB, MB, GB and TB are powers of 1000, KiB, MiB, GiB and TiB of
 * 1024. A bare number is in `bareUnit`. The value is in bytes, rounded to whole ones.
 */
export function parseSize(text: string, bareUnit: SizeUnit): Reading<number> {
  const match = sizePattern.exec(text);
  if (!match) return { ok: false, problem: "is not a size" };
  const factor = /[\d.]$/.test(text) ? unitBytes[bareUnit] : factorOf(match[2], match[3] !== undefined);
  const bytes = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(bytes) ? { ok: true, value: bytes } : { ok: false, problem: "is too large" };
}

/** Writes bytes in the largest unit that divides them: `50GB`, `512MiB`, `1B`. */
export function formatSize(bytes: number): string {
  const unit = bytes === 0 ? "B" : (largestFirst.find((name) => bytes % unitBytes[name] === 0) ?? "B");
  return `${bytes / unitBytes[unit]}${unit}`;
}

function factorOf(prefix: string | undefined, binary: boolean): number {
  return (binary ? 1024 : 1000) ** " kmgt".indexOf(prefix?.toLowerCase() ?? " ");
}
