import { open } from "node:fs/promises";
import { type AuditRecord, beforeRoom } from "./audit-log.ts";

type Telling = Pick<AuditRecord, "action" | "result" | "rule" | "hash">;

/** Of each file of the audit log, at the start. */
const mostBytes = 8 * 1024 * 1024;
const mostKept = 100_000;

/** Which rules have told of which torrents: as far back as the end of the audit log goes. */
export class Told {
  readonly #told = new Set<string>();
  readonly #path: string | undefined;
  #reading: Promise<void> | undefined;

  constructor(path?: string) {
    this.#path = path;
  }

  /** Once; a log that is not there or cannot be read is empty. */
  async read(): Promise<void> {
    await (this.#reading ??= this.#read());
  }

  has(rule: string, hash: string): boolean {
    return this.#told.has(keyOf(rule, hash));
  }

  note(entries: readonly Telling[]): void {
    for (const { action, result, rule, hash } of entries) {
      if (action !== "notify" || result !== "done") continue;
      this.#told.add(keyOf(rule, hash));
      const [oldest] = this.#told;
      if (this.#told.size > mostKept && oldest !== undefined) this.#told.delete(oldest);
    }
  }

  async #read(): Promise<void> {
    if (this.#path === undefined) return;
    // The log may have made room a moment ago.
    for (const path of [beforeRoom(this.#path), this.#path]) {
      const lines = await endOf(path).catch(() => "");
      for (const line of lines.split("\n")) if (line.includes('"notify"')) this.note(recordsIn(line));
    }
  }
}

function keyOf(rule: string, hash: string): string {
  return `${hash} ${rule}`;
}

async function endOf(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.min(size, mostBytes));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
  return buffer.toString("utf8", 0, bytesRead);
}

/** None in a line that is cut off. */
function recordsIn(line: string): Telling[] {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared with texts only
    const record = JSON.parse(line) as Telling | null;
    return record === null || typeof record !== "object" ? [] : [record];
  } catch {
    return [];
  }
}
