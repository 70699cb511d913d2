import { readFile } from "node:fs/promises";

type Sample = { atMs: number; bytes: number };

/** What one process, from its start to its end, held for itself (RssAnon) over time. */
type Life = { pid: number; bornAt: number; samples: Sample[] };

export type MemoryLine = {
  name: string;
  /** Largest that was seen, MB. */
  peakMb: number;
  /** MB an hour by least squares within lives after their warm-up; undefined with too little to tell. */
  slopeMbPerHour: number | undefined;
  /** How much of the run the slope is about. */
  observedMinutes: number;
};

const warmUpMs = 60_000;
const leastMinutes = 10;

/** Follows the memory of processes that are killed and started again. */
export class MemoryWatch {
  readonly #lives = new Map<string, Life[]>();

  async look(name: string, pid: number, now: number): Promise<void> {
    const bytes = await anonymousBytes(pid);
    if (bytes !== undefined) this.record(name, pid, { atMs: now, bytes });
  }

  record(name: string, pid: number, sample: Sample): void {
    const lives = this.#lives.get(name) ?? [];
    this.#lives.set(name, lives);
    if (lives.at(-1)?.pid !== pid) lives.push({ pid, bornAt: sample.atMs, samples: [] });
    lives.at(-1)?.samples.push(sample);
  }

  lines(): MemoryLine[] {
    return Array.from(this.#lives, ([name, lives]) => {
      const all = lives.flatMap(({ samples }) => samples);
      const warm = lives.map(({ bornAt, samples }) =>
        samples.filter(({ atMs }) => atMs - bornAt >= warmUpMs),
      );
      const observedMs = warm.reduce((sum, samples) => sum + spanOf(samples), 0);
      const observedMinutes = observedMs / 60_000;
      return {
        name,
        peakMb: all.reduce((most, { bytes }) => Math.max(most, bytes), 0) / 1e6,
        slopeMbPerHour: observedMinutes < leastMinutes ? undefined : slope(warm),
        observedMinutes,
      };
    });
  }
}

function spanOf(samples: readonly Sample[]): number {
  return (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0);
}

/** One slope for several lives, each with a level of its own. */
function slope(lives: readonly (readonly Sample[])[]): number {
  let covariance = 0;
  let variance = 0;
  for (const samples of lives) {
    const meanAt = mean(samples.map(({ atMs }) => atMs));
    const meanBytes = mean(samples.map(({ bytes }) => bytes));
    for (const { atMs, bytes } of samples) {
      covariance += (atMs - meanAt) * (bytes - meanBytes);
      variance += (atMs - meanAt) ** 2;
    }
  }
  return ((covariance / variance) * 3_600_000) / 1e6;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Linux only; undefined elsewhere and for a process that is gone. */
async function anonymousBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = /^RssAnon:\s+(\d+) kB$/mu.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
