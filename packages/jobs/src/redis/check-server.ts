import type { Redis } from "ioredis";
import { QueueOpenError } from "../errors.ts";

/**
 * What is wrong with keeping jobs in this Redis, in sentences. Asks INFO, which managed servers allow as well.
 * @throws QueueOpenError when it throws keys away that have no time to live: jobs would be among them
 */
export async function checkServer(redis: Redis): Promise<string[]> {
  const info = infoOf(await redis.info());
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  const evicts = policy !== "noeviction";
  if (evicts && policy.startsWith("allkeys") && info.get("maxmemory") !== "0")
    throw new QueueOpenError(
      "evicts",
      `this Redis removes any key when its memory is full (maxmemory-policy ${policy}), jobs among them: set maxmemory-policy to noeviction, or use a Redis of its own for the queue`,
    );
  return [
    ...(evicts
      ? [
          `Redis has maxmemory-policy ${policy}: with it, leases or jobs may be removed when memory is full; noeviction is right for a queue.`,
        ]
      : []),
    ...(await persistence(redis, info)),
  ];
}

async function persistence(redis: Redis, info: ReadonlyMap<string, string>): Promise<string[]> {
  if (info.get("aof_enabled") === "1") return [];
  if (await takesSnapshots(redis))
    return [
      "Redis keeps only snapshots (appendonly no): after a crash the jobs since the last one are lost; set appendonly yes.",
    ];
  return [
    "Redis keeps nothing on disk (appendonly no, no save): all jobs are lost when it restarts; set appendonly yes.",
  ];
}

/** Unknown counts as yes: managed servers that forbid CONFIG take snapshots. */
async function takesSnapshots(redis: Redis): Promise<boolean> {
  try {
    const reply: unknown = await redis.config("GET", "save");
    return !Array.isArray(reply) || reply[1] !== "";
  } catch {
    return true;
  }
}

function infoOf(text: string): Map<string, string> {
  const pairs = text.split("\r\n").map((line) => line.split(":"));
  return new Map(
    pairs.flatMap(([name, value]) => (name !== undefined && value !== undefined ? [[name, value]] : [])),
  );
}
