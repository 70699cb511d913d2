import { appendFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type JobQueue, openQueue, type OpenQueueOptions, type Run } from "./index.ts";

/** What a test tells a process that it is going to kill. */
export type MortalOptions = {
  readonly queue: OpenQueueOptions;
  /** File of effects: one line `fence job` for each, in the order in which they happened in all processes. */
  readonly effects: string;
};

export type Asked = { readonly n: number; readonly context: string; readonly hash: string };
export type Answered = { readonly n: number; readonly id: string } | "ready";

/** Asks for what it is sent, does jobs as a worker does, and leaves a trace of each; until it is killed. */
async function live({ queue: options, effects }: MortalOptions): Promise<void> {
  const queue = await openQueue(options);
  process.on("message", (asked: Asked) => void ask(queue, asked));
  tell("ready");
  const { signal } = new AbortController();
  for (;;) {
    try {
      await using run = await queue.take({ signal });
      await work(run, effects);
    } catch {
      await delay(20);
    }
  }
}

async function ask(queue: JobQueue, { n, context, hash }: Asked): Promise<void> {
  try {
    const { job } = await queue.enqueue({ context, hash });
    tell({ n, id: job.id });
  } catch {
    // Without an answer it is asked again.
  }
}

async function work(run: Run, effects: string): Promise<void> {
  for (const { id } of run.jobs) {
    await run.assertHeld();
    appendFileSync(effects, `${run.fence} ${id}\n`);
    await delay(1);
    await run.settle([{ id, outcome: { kind: "completed", result: {} } }]);
    appendFileSync(effects, `done ${id}\n`);
  }
}

function tell(answer: Answered): void {
  process.send?.(answer);
}

const [, , options] = process.argv;
if (options !== undefined) await live(JSON.parse(options));
