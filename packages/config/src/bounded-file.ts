import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";

/** `problem` completes "the file …". */
export type FileReading =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly missing: boolean; readonly problem: string };

export type ReadFile = (path: string, maxBytes: number) => Promise<FileReading>;

/**
 * Reads a small UTF-8 text from a regular file. It looks before it opens, opens without blocking and looks
 * again: a FIFO would hang the program, a device would never end. A missing file is a result, not an error.
 */
export const readTextFile: ReadFile = async (path, maxBytes) => {
  try {
    const unfit = unfitness(await stat(path), maxBytes);
    if (unfit !== undefined) return refusal(unfit);
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const unfitNow = unfitness(await file.stat(), maxBytes);
    if (unfitNow !== undefined) return refusal(unfitNow);
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let bytesRead = -1; bytesRead !== 0 && length <= maxBytes; length += bytesRead) {
      ({ bytesRead } = await file.read(buffer, length, buffer.length - length));
    }
    return length > maxBytes ? refusal(tooLarge(maxBytes)) : decode(buffer.subarray(0, length));
  } catch (error) {
    return explain(error);
  }
};

function unfitness(stats: { isFile(): boolean; isDirectory(): boolean; size: number }, maxBytes: number) {
  if (stats.isDirectory()) return "is a directory";
  if (!stats.isFile()) return "is not a regular file";
  return stats.size > maxBytes ? tooLarge(maxBytes) : undefined;
}

const tooLarge = (maxBytes: number): string =>
  `is larger than ${maxBytes < 1024 ? `${maxBytes} bytes` : `${maxBytes / 1024} KiB`}`;

const refusal = (problem: string, missing = false): FileReading => ({ ok: false, missing, problem });

function decode(bytes: Uint8Array): FileReading {
  try {
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return refusal("is not UTF-8 text");
  }
}

function explain(error: unknown): FileReading {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  if (code === "ENOENT" || code === "ENOTDIR") return refusal("does not exist", true);
  if (code === "EACCES" || code === "EPERM") return refusal("may not be read (permission denied)");
  return refusal(`cannot be read (${code})`);
}
