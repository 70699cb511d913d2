import type { Job, JobQueue } from "@qbit-sidecars/jobs";
import type { Logger } from "@qbit-sidecars/service";

export type Hits = { readonly count: number; readonly last: string | null };

const pages = 10;
const pageSize = 100;

/**
 * How often each rule matched, from what jobs say of themselves: so it holds for workers elsewhere, too. Filled
 * with the last thousand jobs when first asked for, then kept up with what the queue tells.
 */
export class RuleHits {
  readonly #queue: Pick<JobQueue, "list" | "get" | "subscribe">;
  readonly #log: Logger;
  readonly #hits = new Map<string, { count: number; last: string | null }>();
  readonly #counted = new Set<string>();
  #filling: Promise<void> | undefined;
  /** Jobs that the queue has told of and that are not counted yet. */
  readonly #adding = new Set<Promise<void>>();
  #unsubscribe = (): void => {};
  /** Of the rules that the last job was run with. */
  version: string | null = null;

  constructor(queue: Pick<JobQueue, "list" | "get" | "subscribe">, log: Logger) {
    this.#queue = queue;
    this.#log = log;
  }

  /** @returns with every job that the queue has told of by now */
  async all(): Promise<ReadonlyMap<string, Hits>> {
    this.#filling ??= this.#fill().catch((error: unknown) => {
      this.#unsubscribe();
      this.#filling = undefined;
      throw error;
    });
    await this.#filling;
    await Promise.all(this.#adding);
    return this.#hits;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }

  async #fill(): Promise<void> {
    this.#unsubscribe = this.#queue.subscribe((change) => {
      if (change.kind !== "job" || change.status !== "completed") return;
      const adding = this.#add(change.id).finally(() => this.#adding.delete(adding));
      this.#adding.add(adding);
    });
    for (let page = 0; page < pages; page += 1) {
      const filter = { status: "completed", limit: pageSize, offset: page * pageSize } as const;
      const { jobs } = await this.#queue.list(filter);
      for (const job of jobs) this.#count(job);
      if (jobs.length < pageSize) break;
    }
  }

  async #add(id: string): Promise<void> {
    try {
      const job = await this.#queue.get(id);
      if (job !== undefined) this.#count(job);
    } catch (err) {
      this.#log.debug({ err }, "counting what rules did");
    }
  }

  #count({ id, result, completedAt, dryRun }: Job): void {
    const { rules, rules_version: version } = result ?? {};
    if (this.#counted.has(id) || dryRun || typeof rules !== "object" || rules === null) return;
    this.#counted.add(id);
    if (typeof version === "string") this.version = version;
    for (const [name, count] of Object.entries(rules)) {
      const hit = this.#hits.get(name) ?? { count: 0, last: null };
      hit.count += Number(count);
      if (completedAt !== null && (hit.last === null || completedAt > hit.last)) hit.last = completedAt;
      this.#hits.set(name, hit);
    }
  }
}
