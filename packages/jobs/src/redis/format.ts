import { QueueOpenError } from "../errors.ts";

/** Raised when older programs would misread the records. */
export const format = 1;

/** Below the key prefix; whoever opens a queue first writes it. */
export const formatKey = "queue:format";

export function tooNew(found: number): QueueOpenError {
  return new QueueOpenError(
    "too new",
    `the queue in Redis is a newer version's (format ${found}; this one knows ${format}): update this program, or give it another database of that Redis`,
  );
}
