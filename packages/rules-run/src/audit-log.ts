import type { Logger } from "@qbit-sidecars/service";
import { appendFile, rename, stat } from "node:fs/promises";

/** One change that was made to a torrent, or tried. */
export type AuditRecord = {
  /** ISO 8601. */
  readonly at: string;
  /** Ids of the jobs it was made for. */
  readonly jobs: readonly string[];
  readonly context: string | null;
  readonly hash: string;
  readonly name: string;
  readonly rule: string;
  readonly action: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly because: readonly string[];
  readonly result: "planned" | "done" | "failed";
  readonly error?: string;
};

export type AuditLog = { write(records: readonly AuditRecord[]): Promise<void> };

/** Above this size the file becomes the one before, and that one goes. */
const mostBytes = 50 * 1024 * 1024;

/** Where the lines are that stood in the log before it made room. */
export function beforeRoom(path: string): string {
  return `${path}.1`;
}

/** JSON lines in a file; into the log where there is no file or it cannot be written. */
export function openAuditLog(path: string | undefined, log: Logger): AuditLog {
  const toLog = (records: readonly AuditRecord[]) => {
    for (const record of records) log.info({ audit: record }, `${record.action}: ${record.name}`);
  };
  if (path === undefined || path === "") return { write: async (records) => toLog(records) };
  let isBroken = false;
  return {
    async write(records) {
      if (records.length === 0) return;
      try {
        await makeRoom(path);
        await appendFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(""), {
          mode: 0o640,
        });
        isBroken = false;
      } catch (err) {
        if (!isBroken)
          log.warn({ err }, `writing the audit log ${path}; changes are told of in this log instead`);
        isBroken = true;
        toLog(records);
      }
    },
  };
}

async function makeRoom(path: string): Promise<void> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > mostBytes) await rename(path, beforeRoom(path));
}
