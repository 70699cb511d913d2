import { type Clock, type Logger, systemClock } from "@qbit-sidecars/service";
import { chooseRun, window } from "../choose-run.ts";
import type {
  Cancelled,
  Enqueued,
  Job,
  JobCounts,
  JobFilter,
  JobPage,
  JobQueue,
  JobWish,
  Json,
  QueueChange,
  QueueStats,
  Repaired,
  Run,
} from "../contract.ts";
import { QueueUnavailableError } from "../errors.ts";
import { gather } from "../gather.ts";
import { HeldRun, type RunStore } from "../held-run.ts";
import { JobIds } from "../job-ids.ts";
import { Listeners } from "../listeners.ts";
import { queueDefaults, type SqliteQueueOptions } from "../queue-options.ts";
import type { RecordChange } from "../settle-job.ts";
import { type Database, openDatabase } from "./database.ts";
import { JobStore } from "./job-store.ts";

/** @throws QueueOpenError */
export function openSqliteQueue(options: SqliteQueueOptions): JobQueue {
  const { path, log } = options;
  const database = openDatabase(path, log);
  try {
    return new SqliteQueue(database, options);
  } catch (error) {
    database.db.close();
    throw error;
  }
}

/** The queue in a database file that this process alone holds: its own life is the lease. */
class SqliteQueue implements JobQueue {
  readonly backend = "sqlite";
  readonly warnings: readonly string[] = [];
  readonly enqueue: (wish: JobWish) => Promise<Enqueued>;

  readonly #database: Database;
  readonly #store: JobStore;
  readonly #clock: Clock;
  readonly #log: Logger | undefined;
  readonly #options: Required<Pick<SqliteQueueOptions, "hungAfterMs" | "mostJobs" | "notReadyDelaysMs">>;
  readonly #listeners: Listeners;
  readonly #closing = new AbortController();
  #run: HeldRun | undefined;
  /** Ends the wait of `take`. */
  #wake: (() => void) | undefined;
  #taking = false;

  constructor(database: Database, options: SqliteQueueOptions) {
    const { clock = systemClock, log } = options;
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
    this.#options = { ...queueDefaults, ...options };
    this.#listeners = new Listeners((err) => log?.error({ err }, "a listener of the job queue failed"));
    this.#store = new JobStore(database.db, { ids: new JobIds(() => clock.now()), clock });
    this.enqueue = gather((wishes) => this.#enqueueAll(wishes));
    const found = this.#repair();
    if (found.length > 0) log?.warn({ found }, "the job queue was repaired");
    this.#takeBack();
  }

  #enqueueAll(wishes: readonly JobWish[]): Enqueued[] {
    const answers = this.#database.write("storing jobs", () =>
      wishes.map((wish) => this.#store.enqueue(wish)),
    );
    this.#tell(answers.flatMap(({ job, coalesced }) => (coalesced ? [] : [changeOf(job)])));
    this.#wake?.();
    return answers;
  }

  async get(id: string): Promise<Job | undefined> {
    return this.#database.read("reading a job", () => this.#store.get(id));
  }

  async details(id: string): Promise<Json | undefined> {
    return this.#database.read("reading a job's details", () => this.#store.details(id));
  }

  async list(filter: JobFilter = {}): Promise<JobPage> {
    return this.#database.read("listing jobs", () => this.#store.list(filter));
  }

  async counts(): Promise<JobCounts> {
    return this.#database.read("counting jobs", () => this.#store.counts());
  }

  async stats(): Promise<QueueStats> {
    return this.#database.read("summing up jobs", () => this.#store.stats());
  }

  async cancel(id: string): Promise<Cancelled> {
    const answer = this.#database.write("cancelling a job", () => this.#store.cancel(id));
    if (answer.kind === "cancelled") this.#tell([changeOf(answer.job)]);
    return answer;
  }

  async health(): Promise<{ ok: boolean; detail: string }> {
    const { fault } = this.#database;
    if (fault !== undefined) return { ok: false, detail: fault };
    try {
      await this.counts();
      return { ok: true, detail: "the database answers" };
    } catch (error) {
      return { ok: false, detail: error instanceof Error ? error.message : String(error) };
    }
  }

  subscribe(listener: (change: QueueChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  async take({ signal }: { readonly signal: AbortSignal }): Promise<Run> {
    if (this.#taking) throw new Error("this queue is being taken from already");
    this.#taking = true;
    const until = AbortSignal.any([signal, this.#closing.signal]);
    try {
      while (true) {
        until.throwIfAborted();
        const waitMs = this.#run === undefined ? this.#takeNext() : undefined;
        if (waitMs instanceof HeldRun) return waitMs;
        await this.#wait(waitMs, until);
      }
    } finally {
      this.#taking = false;
    }
  }

  async workers(): Promise<number> {
    return this.#taking || this.#run !== undefined ? 1 : 0;
  }

  async repair(): Promise<Repaired> {
    return { found: this.#repair() };
  }

  async removeEnded({ olderThanMs }: { readonly olderThanMs: number }): Promise<number> {
    const removed = this.#database.write("removing old jobs", () => this.#store.removeEnded(olderThanMs));
    if (removed > 0) this.#tell([{ kind: "everything" }]);
    return removed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new QueueUnavailableError("the queue was closed"));
    await this.#run?.lose("closed");
    this.#database.db.close();
  }

  /** The next run, or how long until a job is due: undefined means that none waits. */
  #takeNext(): HeldRun | number | undefined {
    this.#takeBack();
    const disorder = this.#store.disorder(window);
    if (disorder.size > 0)
      this.#database.write("keeping jobs in their order", () => this.#store.putInOrder(disorder));
    const due = this.#store.due(window);
    if (due.length === 0) return this.#store.untilDueMs();
    const chosen = chooseRun(due, this.#options.mostJobs);
    const taken = this.#database.write("taking jobs", () => this.#store.start(chosen));
    const run = new HeldRun(taken, {
      store: this.#storeFor(taken.id),
      clock: this.#clock,
      log: this.#log,
      hungAfterMs: this.#options.hungAfterMs,
      delaysMs: this.#options.notReadyDelaysMs,
    });
    this.#run = run;
    this.#tell(run.jobs.map(changeOf));
    return run;
  }

  #storeFor(id: string): RunStore {
    const isHeld = () => this.#run?.id === id;
    return {
      isHeld: async () => isHeld(),
      write: async (changes) => {
        if (!isHeld()) return false;
        this.#settle(changes);
        return true;
      },
      release: async () => {
        if (isHeld()) this.#run = undefined;
        this.#wake?.();
      },
    };
  }

  #settle(changes: readonly RecordChange[]): void {
    this.#database.write("recording how jobs ended", () => {
      for (const change of changes) this.#store.settle(change);
    });
    this.#tell(changes.map(({ id, status }) => ({ kind: "job", id, status })));
  }

  /** Nobody else can hold the file, so what is being processed outside of this process' run was left behind. */
  #takeBack(): void {
    const { returned, failed } = this.#store.leftBehind();
    if (returned.length + failed.length === 0) return;
    this.#database.write("taking back jobs", () => this.#store.takeBack({ returned, failed }));
    this.#log?.warn(
      { returned: returned.length, failed: failed.length },
      "jobs whose run did not end were taken back",
    );
    this.#tell([{ kind: "everything" }]);
  }

  #repair(): string[] {
    const found = this.#store.disagreements();
    if (found.length > 0) this.#database.write("repairing the queue", () => this.#store.makeAgree());
    return found;
  }

  async #wait(ms: number | undefined, signal: AbortSignal): Promise<void> {
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const over = new AbortController();
    const timer = ms === undefined ? undefined : this.#clock.sleep(ms, over.signal).catch(() => {});
    const stop = () => woken.resolve();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    await Promise.race(timer === undefined ? [woken.promise] : [woken.promise, timer]);
    signal.removeEventListener("abort", stop);
    over.abort();
    this.#wake = undefined;
  }

  #tell(changes: readonly QueueChange[]): void {
    if (changes.length > 0) this.#listeners.tell(changes);
  }
}

function changeOf({ id, status }: Job): QueueChange {
  return { kind: "job", id, status };
}
