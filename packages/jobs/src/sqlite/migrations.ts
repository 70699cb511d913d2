import { rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { QueueOpenError } from "../errors.ts";

export const newestVersion = 2;

/** From version n to n + 1. The first is the schema of qbt-rules 0.4 to 0.6, so their databases are read as they are. */
const migrations: readonly string[] = [
  `
  CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    context TEXT,
    hash TEXT,
    status TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    started_at TIMESTAMP,
    completed_at TIMESTAMP,
    result TEXT,
    error TEXT
  );
  CREATE INDEX IF NOT EXISTS idx_status ON jobs (status);
  CREATE INDEX IF NOT EXISTS idx_created_at ON jobs (created_at);
  CREATE INDEX IF NOT EXISTS idx_context ON jobs (context);
  CREATE TABLE IF NOT EXISTS queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL UNIQUE,
    priority INTEGER DEFAULT 0,
    FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE CASCADE
  );
  CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER PRIMARY KEY,
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
  );
  INSERT INTO schema_version (version) VALUES (1);
  `,
  // Python wrote times as "2025-12-13 10:00:00.123456"; the API says ISO 8601 with Z. What its worker left behind as
  // processing may be months old: nobody waits for it any more.
  `
  ALTER TABLE jobs ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN trace INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN details TEXT;
  ALTER TABLE jobs ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN interrupted INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN not_ready INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN waits_for TEXT;
  ALTER TABLE jobs ADD COLUMN seq INTEGER;
  ALTER TABLE queue ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX IF NOT EXISTS idx_completed_at ON jobs (completed_at);
  CREATE INDEX idx_pending ON jobs (context, hash) WHERE status = 'pending';
  CREATE INDEX idx_due ON queue (due_at);
  CREATE TABLE runs (last_fence INTEGER NOT NULL, opened_at TEXT NOT NULL);
  INSERT INTO runs VALUES (0, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
  UPDATE jobs SET
    created_at = strftime('%Y-%m-%dT%H:%M:%fZ', created_at),
    started_at = strftime('%Y-%m-%dT%H:%M:%fZ', started_at),
    completed_at = strftime('%Y-%m-%dT%H:%M:%fZ', completed_at),
    hash = lower(hash),
    attempts = started_at IS NOT NULL;
  UPDATE jobs SET status = 'failed', error = 'it was being processed when qbt-rules was replaced',
    completed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    WHERE status = 'processing';
  UPDATE jobs SET completed_at = created_at WHERE status = 'cancelled' AND completed_at IS NULL;
  UPDATE jobs SET seq = (SELECT id FROM queue WHERE job_id = jobs.id);
  `,
];

/**
 * Brings a database to the newest version, step by step, in one transaction; what was there is first copied whole to
 * `<path>.v<version>.backup`.
 */
export function migrate(db: DatabaseSync, path: string): { readonly backup: string | undefined } {
  const version = versionOf(db);
  if (version > newestVersion) throw tooNew(path, version);
  if (version === newestVersion) return { backup: undefined };
  const backup = version === 0 ? undefined : backUp(db, path, version);
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const [at, sql] of migrations.entries()) {
      if (at < version) continue;
      db.exec(sql);
      if (at > 0) db.prepare("INSERT INTO schema_version (version) VALUES (?)").run(at + 1);
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
  return { backup };
}

export function tooNew(path: string, version: number): QueueOpenError {
  return new QueueOpenError(
    "too new",
    `the database ${path} was written by a newer version (schema ${version}; this one knows ${newestVersion}): update, or go back to the backup beside it`,
  );
}

/** 0 for a new one. */
export function versionOf(db: DatabaseSync): number {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  if (!tables.some(({ name }) => name === "schema_version")) return 0;
  return Number(db.prepare("SELECT max(version) AS version FROM schema_version").get()?.["version"] ?? 0);
}

function backUp(db: DatabaseSync, path: string, version: number): string {
  const backup = `${path}.v${version}.backup`;
  // A copy of an attempt before would be in the way; the database still holds all that it does.
  rmSync(backup, { force: true });
  db.prepare("VACUUM INTO ?").run(backup);
  return backup;
}
