import type { SlowPattern } from "./compile-pattern.ts";
import { matchInWorker, type SlowOutcome } from "./match-in-worker.ts";

type Job = {
  readonly pattern: SlowPattern;
  readonly outcomes: Map<string, SlowOutcome>;
  wanted: Set<string>;
  leftMs: number;
};

/** Outcomes of the patterns that may only run with a budget: what is asked for is found out in batches. */
export class SlowMatches {
  readonly #jobs = new Map<string, Job>();
  readonly #budgetMs: number;

  /** @param budgetMs for each pattern, in all, for as long as this object is used: one run. */
  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  /** Undefined while nobody knows: `want` it then, and ask again after `find`. */
  outcome({ source }: SlowPattern, text: string): SlowOutcome | undefined {
    return this.#jobs.get(source)?.outcomes.get(text);
  }

  want(pattern: SlowPattern, text: string): void {
    const job = this.#jobs.get(pattern.source);
    if (job !== undefined) job.wanted.add(text);
    else {
      const wanted = new Set([text]);
      this.#jobs.set(pattern.source, { pattern, outcomes: new Map(), wanted, leftMs: this.#budgetMs });
    }
  }

  /** Runs everything that is wanted, one pattern after the other. */
  async find(): Promise<void> {
    for (const job of this.#jobs.values()) if (job.wanted.size > 0) await this.#run(job);
  }

  async #run(job: Job): Promise<void> {
    const texts = [...job.wanted];
    job.wanted = new Set();
    const { outcomes, spentMs } = await matchInWorker(job.pattern.forV8, texts, job.leftMs);
    job.leftMs = Math.max(0, job.leftMs - spentMs);
    for (const [at, text] of texts.entries()) job.outcomes.set(text, outcomes[at] ?? "out of time");
  }
}
