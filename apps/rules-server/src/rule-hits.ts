import type { Job, JobQueue } from "@qbit-sidecars/jobs";
import type { Logger } from "@qbit-sidecars/service";

export type Hits = { readonly count: number; readonly last: string | null };

const pages = 10;
const pageSize = 100;
/** How many jobs are known to be counted: more than are ever read again, and no end of them. */
const mostCounted = 2 * pages * pageSize;

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
  readonly #adding = new Set<Promise<unknown>>();
  #readingBack: Promise<void> | undefined;
  /** The queue told that much has changed since that began. */
  #isOutdated = false;
  #unsubscribe = (): void => {};
  /** Of the rules that the last job was run with. */
  version: string | null = null;
  #versionAt = "";

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
      if (change.kind === "everything") this.#keepUp(this.#readBackAnew(), "counting what rules did");
      else if (change.status === "completed") this.#keepUp(this.#add(change.id), `counting job ${change.id}`);
    });
    await this.#readBack();
  }

  #keepUp(work: Promise<void>, doing: string): void {
    const adding = work
      .catch((err: unknown) => this.#log.debug({ err }, doing))
      .finally(() => this.#adding.delete(adding));
    this.#adding.add(adding);
  }

  /** A clean-up tells of many changes at once: while one reading goes on, all of them ask for one more. */
  #readBackAnew(): Promise<void> {
    this.#isOutdated = true;
    this.#readingBack ??= this.#readUntilCurrent();
    return this.#readingBack;
  }

  async #readUntilCurrent(): Promise<void> {
    try {
      while (this.#isOutdated) {
        this.#isOutdated = false;
        await this.#readBack();
      }
    } finally {
      this.#readingBack = undefined;
    }
  }

  async #readBack(): Promise<void> {
    for (let page = 0; page < pages; page += 1) {
      const filter = { status: "completed", limit: pageSize, offset: page * pageSize } as const;
      const { jobs } = await this.#queue.list(filter);
      for (const job of jobs) this.#count(job);
      if (jobs.length < pageSize) break;
    }
  }

  async #add(id: string): Promise<void> {
    const job = await this.#queue.get(id);
    if (job !== undefined) this.#count(job);
  }

  #count({ id, result, completedAt, dryRun }: Job): void {
    const { rules, rules_version: version } = result ?? {};
    if (this.#counted.has(id) || dryRun || typeof rules !== "object" || rules === null) return;
    this.#noteCounted(id);
    if (typeof version === "string" && completedAt !== null && completedAt >= this.#versionAt)
      [this.version, this.#versionAt] = [version, completedAt];
    for (const [name, count] of Object.entries(rules)) {
      const hit = this.#hits.get(name) ?? { count: 0, last: null };
      hit.count += Number(count);
      if (completedAt !== null && (hit.last === null || completedAt > hit.last)) hit.last = completedAt;
      this.#hits.set(name, hit);
    }
  }

  #noteCounted(id: string): void {
    this.#counted.add(id);
    const [oldest] = this.#counted;
    if (this.#counted.size > mostCounted && oldest !== undefined) this.#counted.delete(oldest);
  }
}
