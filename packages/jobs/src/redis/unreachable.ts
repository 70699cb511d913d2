import { QueueOpenError } from "../errors.ts";

/** No Redis, or none that lets us in; names it without its password. */
export function unreachable(url: string, cause: unknown): QueueOpenError {
  const host = URL.parse(url)?.host ?? "the given address";
  return new QueueOpenError("unreachable", `reaching Redis at ${host}`, { cause });
}
