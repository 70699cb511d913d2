import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { waitFor } from "@qbit-sidecars/testing";
import assert from "node:assert/strict";
import type { JobQueue } from "./contract.ts";
import type { Answered, Asked, MortalOptions } from "./mortal-process.ts";

/** How many rounds of killing, and over how many jobs. */
export function extent(env: NodeJS.ProcessEnv): { rounds: number; jobs: number } {
  return { rounds: env["QBIT_SIDECARS_LONG"] === "1" ? 50 : 6, jobs: 1_000 };
}

/** A process of mortal-process.ts; `answered` grows as it answers. */
export class Mortal {
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();

  constructor(options: MortalOptions, answered: Map<number, string>) {
    const program = fileURLToPath(new URL("mortal-process.ts", import.meta.url));
    this.#child = fork(program, [JSON.stringify(options)], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let output = "";
    this.#child.stderr?.on("data", (chunk) => (output += String(chunk)));
    this.#child.on("message", (answer: Answered) => {
      if (answer === "ready") this.#ready.resolve();
      else answered.set(answer.n, answer.id);
    });
    this.#child.once("exit", () => this.#ready.reject(new Error(`the process ended by itself: ${output}`)));
    this.#ready.promise.catch(() => {});
  }

  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  ask(asked: Asked): void {
    if (this.#child.connected) this.#child.send(asked, () => {});
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

/** Wish number n. */
export function wishOf(n: number): Asked {
  return { n, context: `context ${n % 5}`, hash: n.toString(16).padStart(40, "0") };
}

/** Every job that was acknowledged ended once, and no two runs wrote at the same time. */
export async function checkOutcome(
  queue: JobQueue,
  { ids, effects }: { ids: readonly string[]; effects: string },
): Promise<{ repeated: number }> {
  await waitFor(
    async () => {
      const { pending, processing } = await queue.counts();
      return pending + processing === 0;
    },
    { what: "all jobs to end", timeoutMs: 60_000 },
  );
  const counts = await queue.counts();
  assert.equal(counts.completed, counts.total, JSON.stringify(counts));
  for (const id of ids) assert.equal((await queue.get(id))?.status, "completed", id);
  assert.deepEqual(await queue.repair(), { found: [] });
  return checkEffects(await readFile(effects, "utf8"));
}

function checkEffects(text: string): { repeated: number } {
  const written = new Map<string, number>();
  const done = new Set<string>();
  let newestFence = 0;
  for (const line of text.trimEnd().split("\n")) {
    const [fence = "", id = ""] = line.split(" ");
    if (fence === "done") {
      done.add(id);
      continue;
    }
    assert.ok(Number(fence) >= newestFence, `run ${fence} wrote after run ${newestFence} had begun`);
    assert.ok(!done.has(id), `job ${id} ran again after it had ended`);
    newestFence = Number(fence);
    written.set(id, (written.get(id) ?? 0) + 1);
  }
  return { repeated: [...written.values()].filter((times) => times > 1).length };
}
