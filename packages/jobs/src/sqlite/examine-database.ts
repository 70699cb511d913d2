import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { QueueError, QueueOpenError } from "../errors.ts";
import type { QueueExamined } from "../examine-queue.ts";
import { openError, refuseCorrupt } from "./database.ts";
import { newestVersion, tooNew, versionOf } from "./migrations.ts";

/** Reads the file as it lies there, with no lock and no `-wal`, so that whoever has it open is not disturbed. */
export function examineDatabase(path: string): QueueExamined {
  refuseReadOnly(path);
  if (!existsSync(path)) return { seen: `${path} is not there yet`, warnings: [] };
  const url = pathToFileURL(path);
  url.search = "immutable=1";
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(url, { readOnly: true });
    const version = versionOf(db);
    if (version > newestVersion) throw tooNew(path, version);
    // While the newest changes are beside it in the -wal, the file alone may not be whole.
    if (!hasWal(path)) refuseCorrupt(db, path);
    return { seen: `${path} can be used (schema ${version})`, warnings: [] };
  } catch (error) {
    throw error instanceof QueueError ? error : openError(path, error);
  } finally {
    db?.close();
  }
}

function hasWal(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** SQLite makes files beside the database, so that the folder counts as well. */
function refuseReadOnly(path: string): void {
  const folder = nearest(dirname(path));
  if (!statSync(folder).isDirectory())
    throw new QueueOpenError("not writable", `${folder} is in the way: it is no folder`);
  for (const place of [path, folder]) {
    if (!existsSync(place)) continue;
    try {
      accessSync(place, constants.W_OK);
    } catch (cause) {
      throw new QueueOpenError("not writable", `${place} cannot be written by this user`, { cause });
    }
  }
}

function nearest(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearest(dirname(folder));
}
