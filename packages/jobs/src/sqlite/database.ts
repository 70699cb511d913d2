import type { Logger } from "@qbit-sidecars/service";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageWithCauses } from "@qbit-sidecars/service";
import { type OpenFault, QueueError, QueueOpenError, QueueUnavailableError } from "../errors.ts";
import { migrate } from "./migrations.ts";

/** How long to wait for a process that is just ending. */
const waitForOwnerMs = 1000;

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const codes = {
  busy: 5,
  corrupt: 11,
  full: 13,
  notADatabase: 26,
  readOnly: 8,
  ioError: 10,
  cannotOpen: 14,
} as const;

/** Those that are explained as they are, whatever was being done. */
const told: ReadonlySet<number | undefined> = new Set<number>(Object.values(codes));

/**
 * The database file, held by this process alone. `locking_mode=EXCLUSIVE` before WAL means that no other process gets
 * in, that there is no shared-memory file, and so that WAL works on network shares as well.
 */
export class Database {
  readonly db: DatabaseSync;
  #fault: string | undefined;

  constructor(db: DatabaseSync) {
    this.db = db;
  }

  /** Why the last write failed; undefined when it worked. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** All of `work` on disk, or nothing. `doing` begins the message: "storing jobs". */
  write<T>(doing: string, work: () => T): T {
    try {
      this.db.exec("BEGIN IMMEDIATE");
      const result = work();
      this.db.exec("COMMIT");
      this.#fault = undefined;
      return result;
    } catch (error) {
      // SQLite rolls back by itself after some faults (full, I/O), not after others.
      if (this.db.isOpen && this.db.isTransaction) this.db.exec("ROLLBACK");
      this.#fault = `${doing}: ${messageWithCauses(error)}`;
      throw new QueueUnavailableError(doing, { cause: error });
    }
  }

  read<T>(doing: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new QueueUnavailableError(doing, { cause: error });
    }
  }
}

/** @throws QueueOpenError */
export function openDatabase(path: string, log: Logger | undefined): Database {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    db = new DatabaseSync(path, { timeout: waitForOwnerMs });
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    // The first write takes the lock, and finds out about a volume that is read-only.
    db.exec("BEGIN IMMEDIATE; COMMIT");
    refuseCorrupt(db, path);
    const { backup } = migrated(db, path);
    if (backup !== undefined) log?.info({ backup }, "the database was brought to the newest schema");
    return new Database(db);
  } catch (error) {
    db?.close();
    throw error instanceof QueueError ? error : openError(path, error);
  }
}

/** @throws QueueOpenError what goes wrong on the way to the newest schema is no matter of permissions */
function migrated(db: DatabaseSync, path: string): { backup: string | undefined } {
  try {
    return migrate(db, path);
  } catch (cause) {
    if (cause instanceof QueueError || told.has(resultCode(cause))) throw cause;
    throw new QueueOpenError("not migrated", notMigratedMessage(path), { cause });
  }
}

/** @throws QueueOpenError */
export function refuseCorrupt(db: DatabaseSync, path: string): void {
  const [first] = db.prepare("PRAGMA quick_check(1)").all();
  const found = String(first?.["quick_check"]);
  if (found !== "ok") throw new QueueOpenError("corrupt", corruptMessage(path), { cause: new Error(found) });
}

/** What SQLite says, in words that tell what to do. */
export function openError(path: string, cause: unknown): QueueOpenError {
  const [fault, message] = explain(path, cause);
  return new QueueOpenError(fault, message, { cause });
}

function explain(path: string, error: unknown): [OpenFault, string] {
  const code = resultCode(error);
  if (code === codes.busy)
    return [
      "in use",
      `the database ${path} is in use by another process: only one rules-server may have it (more of them need Redis: QBT_RULES_QUEUE_BACKEND=redis)`,
    ];
  if (code === codes.corrupt || code === codes.notADatabase) return ["corrupt", corruptMessage(path)];
  if (code === codes.full) return ["not writable", `the disk that holds the database ${path} is full`];
  return [
    "not writable",
    `the database ${path} cannot be opened for writing: its folder must exist on a volume that this user may write`,
  ];
}

function notMigratedMessage(path: string): string {
  return `the database ${path} could not be brought to the newest schema and is as it was: go on with the version that wrote it, or move it and its -wal file away to start with an empty queue`;
}

function corruptMessage(path: string): string {
  return `the database ${path} is damaged: move it and its -wal file away to start with an empty queue, or put a backup in its place`;
}

function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}
