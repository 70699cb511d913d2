import { Redis } from "ioredis";
import { QueueOpenError } from "../errors.ts";
import type { QueueExamined } from "../examine-queue.ts";
import type { RedisQueueOptions } from "../queue-options.ts";
import { checkServer } from "./check-server.ts";
import { format, formatKey, tooNew } from "./format.ts";
import { unreachable } from "./unreachable.ts";

/** Asks; changes nothing. @throws QueueOpenError */
export async function examineRedis({
  url,
  keyPrefix = "qbt_rules",
}: RedisQueueOptions): Promise<QueueExamined> {
  const redis = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
  });
  let lastError: unknown;
  redis.on("error", (error) => (lastError = error));
  try {
    await redis.connect();
    const warnings = await checkServer(redis);
    const found = await redis.get(`${keyPrefix}:${formatKey}`);
    if (Number(found) > format) throw tooNew(Number(found));
    const [seconds] = await redis.time();
    return { seen: "Redis answers", warnings, theirMs: Number(seconds) * 1000 };
  } catch (error) {
    throw error instanceof QueueOpenError ? error : unreachable(url, lastError ?? error);
  } finally {
    redis.disconnect();
  }
}
