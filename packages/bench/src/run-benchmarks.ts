import type { Benchmark } from "./benchmarks.ts";
import type { Row } from "./figures.ts";

export type Outcome = { readonly name: string; readonly tookMs: number } & (
  | { readonly rows: readonly Row[] }
  | { readonly error: unknown }
);

export type Telling = {
  /** One line for people. */
  tell: (line: string) => void;
  /** Told after each benchmark, before the next: what was measured is not lost when a later one is stopped. */
  onRows?: (name: string, rows: readonly Row[]) => Promise<void>;
};

/** Runs them one after the other. One that fails is told of, and the others are still run. */
export async function runBenchmarks(
  benchmarks: readonly (readonly [name: string, measure: Benchmark])[],
  { tell, onRows }: Telling,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [name, measure] of benchmarks) {
    tell(`measuring ${name} …`);
    const startedAt = performance.now();
    const result = await attempt(async () => {
      const rows = await measure();
      await onRows?.(name, rows);
      return rows;
    });
    const tookMs = performance.now() - startedAt;
    outcomes.push({ name, tookMs, ...result });
    tell(
      "rows" in result
        ? `${name}: ${result.rows.length} figures in ${seconds(tookMs)}`
        : `${name} FAILED after ${seconds(tookMs)}: ${whatFailed(result.error)}`,
    );
  }
  return outcomes;
}

/** What took how long, and what failed: the last lines of a run. */
export function summary(outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter((outcome) => "error" in outcome);
  const total = outcomes.reduce((sum, { tookMs }) => sum + tookMs, 0);
  const times = outcomes.map(
    (outcome) =>
      `  ${seconds(outcome.tookMs).padStart(9)}  ${outcome.name}${"error" in outcome ? "  FAILED" : ""}`,
  );
  const end = failed.length === 0 ? "none failed" : `failed: ${failed.map(({ name }) => name).join(", ")}`;
  return [...times, `  ${seconds(total).padStart(9)}  in all; ${end}`].join("\n");
}

/** A benchmark's place to catch: one that cannot run here must not take the others' figures with it. */
async function attempt(measure: Benchmark): Promise<{ rows: readonly Row[] } | { error: unknown }> {
  try {
    return { rows: await measure() };
  } catch (error) {
    return { error };
  }
}

function whatFailed(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
