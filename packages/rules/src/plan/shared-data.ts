import type { Torrent } from "@qbit-sidecars/qbit-client";
import type { Change } from "./change.ts";
import type { LibraryIndex } from "./library-index.ts";
import { isRemoval, type Operation } from "./operation.ts";

/**
 * Decides for each removal whether the data goes, too. Data that a torrent uses which stays, or leaves its data behind,
 * is kept. `if_unshared` keeps it also where nobody knows, which is what an old qBittorrent makes of it all.
 *
 * @param library undefined: who uses what is not known, or not believed
 */
export function settleSharedFiles(
  changes: readonly Change[],
  library: LibraryIndex | undefined,
  actual: ReadonlyMap<string, Torrent>,
): Change[] {
  const leaving = new Set(changes.filter(takesData).map(({ hash }) => hash));
  return changes.map((change) => {
    if (!needsLibrary([change])) return change;
    const torrent = actual.get(change.hash);
    const isPlaced = (torrent?.content_path ?? "") !== "";
    const users = torrent !== undefined && isPlaced ? library?.sharing(torrent) : undefined;
    const staying = users?.filter((other) => !leaving.has(other)).length;
    const { operation } = change;
    const isSure = operation.kind === "delete" && operation.deleteFiles === "if_unshared";
    // Without a place there is nobody it could be shared with, or qBittorrent is too old to tell.
    const others = staying ?? (isPlaced || isSure ? undefined : 0);
    return operation.kind === "arrBlocklist"
      ? settleBlocklist(change, operation, others)
      : settleDeletion(change, { staying: others, users });
  });
}

function settleDeletion(
  change: Change,
  { staying, users }: { staying: number | undefined; users: readonly string[] | undefined },
): Change {
  const deleteFiles = staying === 0;
  const settled: Change = {
    ...change,
    operation: { kind: "delete", deleteFiles },
    after: deleteFiles ? afterWithData(users) : `deleted, data kept: ${whoUses(staying)}`,
  };
  return deleteFiles && users !== undefined && users.length > 0 ? { ...settled, leavesWith: users } : settled;
}

function afterWithData(users: readonly string[] | undefined): string {
  return users === undefined ? "deleted with its data" : "deleted with its data, which no other torrent uses";
}

/** Sonarr and Radarr take the data as well, and ask nobody. */
function settleBlocklist(
  change: Change,
  operation: Operation & { kind: "arrBlocklist" },
  staying: number | undefined,
): Change {
  if (staying === 0) return change;
  const request = { ...operation.request, removeFromClient: false };
  return {
    ...change,
    operation: { ...operation, request },
    after: `blocklisted, not removed: ${whoUses(staying)}`,
  };
}

function whoUses(staying: number | undefined): string {
  return staying === undefined ? "nobody knows who uses its data" : `${staying} other torrents use its data`;
}

function takesData({ operation }: Change): boolean {
  return operation.kind === "delete" && operation.deleteFiles !== false;
}

/** Whether any change needs to know who else uses the data. */
export function needsLibrary(changes: readonly Change[]): boolean {
  return changes.some(
    ({ operation }) =>
      isRemoval(operation) &&
      (operation.kind !== "delete" ||
        (operation.deleteFiles !== false && operation.deleteFiles !== "always")),
  );
}
