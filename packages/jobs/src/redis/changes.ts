import type { Logger } from "@qbit-sidecars/service";
import type { Redis } from "ioredis";
import * as z from "zod/mini";
import { jobStatuses, type QueueChange } from "../contract.ts";
import { Listeners } from "../listeners.ts";

const message = z.union([z.literal("everything"), z.array(z.tuple([z.string(), z.enum(jobStatuses)]))]);

export type ChangesOptions = {
  readonly connect: () => Redis;
  readonly channel: string;
  readonly log: Logger | undefined;
};

/** What the scripts publish, on a connection of its own that is made for the first listener. */
export class Changes {
  readonly #options: ChangesOptions;
  readonly #listeners: Listeners;
  #redis: Redis | undefined;

  constructor(options: ChangesOptions) {
    this.#options = options;
    this.#listeners = new Listeners((err) =>
      options.log?.error({ err }, "a listener of the job queue failed"),
    );
  }

  add(listener: (change: QueueChange) => void): () => void {
    if (this.#redis === undefined) this.#redis = this.#subscribe();
    return this.#listeners.add(listener);
  }

  #subscribe(): Redis {
    const { connect, channel, log } = this.#options;
    const redis = connect();
    redis.on("message", (_channel: string, text: string) => this.#listeners.tell(changesOf(text)));
    // ioredis subscribes again by itself; what happened in between was not heard.
    redis.on("ready", () => this.#listeners.tell([{ kind: "everything" }]));
    redis.subscribe(channel).catch((err: unknown) => log?.debug({ err }, "listening for changes of jobs"));
    return redis;
  }
}

/** Anybody who has the Redis can say something on the channel. */
function changesOf(text: string): readonly QueueChange[] {
  const said = readMessage(text);
  if (said === undefined || said === "everything") return [{ kind: "everything" }];
  return said.map(([id, status]) => ({ kind: "job", id, status }));
}

function readMessage(text: string): z.infer<typeof message> | undefined {
  try {
    return message.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
