import { randomUUID } from "node:crypto";
import type { JobScripts } from "./job-scripts.ts";

/** Workers sign a list, and sign again while they are there. */
export class WorkerPresence {
  readonly #scripts: JobScripts;
  readonly #forMs: number;
  readonly #id = randomUUID();
  #signing: NodeJS.Timeout | undefined;

  constructor(scripts: JobScripts, forMs: number) {
    this.#scripts = scripts;
    this.#forMs = forMs;
  }

  async appear(): Promise<void> {
    if (this.#signing !== undefined) return;
    await this.#sign(this.#id);
    this.#signing = setInterval(() => void this.#sign(this.#id).catch(() => {}), this.#forMs / 3);
    this.#signing.unref();
  }

  async count(): Promise<number> {
    return await this.#sign("");
  }

  async leave(): Promise<void> {
    if (this.#signing === undefined) return;
    clearInterval(this.#signing);
    const key = this.#scripts.key("workers");
    await this.#scripts.ask("signing off", async (redis) => await redis.zrem(key, this.#id)).catch(() => {});
  }

  async #sign(id: string): Promise<number> {
    return await this.#scripts.run("presence", { doing: "counting workers", args: [id, this.#forMs] });
  }
}
