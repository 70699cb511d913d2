import type { Redis } from "ioredis";
import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { QueueUnavailableError } from "../errors.ts";
import { type ScriptName, scripts, scriptText } from "./scripts.ts";

export type Argument = string | number;

const record = z.array(z.nullable(z.string()));
const count = z.number();

/** What each script answers. */
const answers = {
  enqueue: z.array(z.tuple([count, record])),
  read: record,
  begin: z.tuple([count, count, count, z.array(record)]),
  start: z.nullable(z.array(record)),
  settle: count,
  cancel: z.tuple([z.nullable(z.string()), record]),
  list: z.tuple([count, z.array(record)]),
  remove: count,
  repair: z.array(count),
  presence: count,
} satisfies Record<ScriptName, z.ZodMiniType>;

type Answers = { [Name in ScriptName]: z.infer<(typeof answers)[Name]> };

/** Redis as the queue talks to it; every failure says what was being done. */
export class JobScripts {
  readonly redis: Redis;
  readonly #prefix: string;
  readonly #scripts = new Map<string, { text: string; sha: string }>();

  constructor(redis: Redis, prefix: string) {
    this.redis = redis;
    this.#prefix = prefix;
    for (const [name, body] of Object.entries(scripts)) {
      const text = scriptText(body);
      this.#scripts.set(name, { text, sha: createHash("sha1").update(text).digest("hex") });
    }
  }

  key(name: string): string {
    return `${this.#prefix}:${name}`;
  }

  async run<N extends ScriptName>(
    name: N,
    { doing, args }: { doing: string; args: readonly Argument[] },
  ): Promise<Answers[N]> {
    const schema: { [Name in ScriptName]: z.ZodMiniType<Answers[Name]> } = answers;
    return await this.ask(doing, async () => schema[name].parse(await this.#evaluate(name, args)));
  }

  /** @throws QueueUnavailableError whatever goes wrong */
  async ask<T>(doing: string, work: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      return await work(this.redis);
    } catch (error) {
      throw new QueueUnavailableError(doing, { cause: error });
    }
  }

  async #evaluate(name: ScriptName, args: readonly Argument[]): Promise<unknown> {
    const script = this.#scripts.get(name);
    if (script === undefined) throw new RangeError(name);
    const all = [this.#prefix, ...args];
    try {
      return await this.redis.evalsha(script.sha, 0, ...all);
    } catch (error) {
      // Redis forgets scripts when it restarts.
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return await this.redis.eval(script.text, 0, ...all);
    }
  }
}
