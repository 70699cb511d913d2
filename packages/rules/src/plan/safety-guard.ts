import { tagsOf, type Torrent } from "@qbit-sidecars/qbit-client";
import type { Safety } from "../compile/safety.ts";
import { isRemoval } from "./operation.ts";
import type { LibraryIndex } from "./library-index.ts";
import type { Change, Held } from "./change.ts";
import type { Subject } from "./subject.ts";

/** Why this torrent must not be deleted; undefined when it may. What earlier rules of the run did does not unprotect it. */
export function whyProtected({ actual, info, world }: Subject, safety: Safety): string | undefined {
  const tags = [...tagsOf(actual), ...tagsOf(info)];
  const tag = safety.protectedTags.find((protectedTag) => tags.includes(protectedTag));
  if (tag !== undefined) return `it has the protected tag ${JSON.stringify(tag)}`;
  const category = safety.protectedCategories.find((name) => isIn(actual, name) || isIn(info, name));
  if (category !== undefined) return `it is in the protected category ${JSON.stringify(category)}`;
  const ageSeconds = world.now / 1000 - actual.added_on;
  if (ageSeconds < safety.minAgeSeconds)
    return `it was added ${Math.max(0, Math.floor(ageSeconds))} s ago, less than min_age (${safety.minAgeSeconds} s)`;
  return undefined;
}

/** Subcategories belong to their category. */
function isIn({ category }: Torrent, name: string): boolean {
  return category === name || category.startsWith(`${name}/`);
}

export type RunFacts = {
  /** How many torrents there are in all; undefined when only one was looked at. */
  readonly total: number | undefined;
  /** How many there were in the run before. */
  readonly lastTotal: number | undefined;
  /** Torrents whose state qBittorrent is still finding out. */
  readonly unsettled: number;
  /** Each torrent was asked for by itself, and the run only does them together: each is judged as if alone. */
  readonly apart?: boolean;
};

/** Below this a library is too small to tell a lost one from a tidy one. */
const fewTorrents = 10;

/** Keeps all deletions of a run from happening when there are too many, or when the list looks wrong. */
export function guardRun(
  changes: readonly Change[],
  safety: Safety,
  facts: RunFacts,
): { changes: readonly Change[]; held: Held[] } {
  const deletes = changes.filter(({ operation }) => isRemoval(operation));
  if (deletes.length === 0) return { changes, held: [] };
  const count = new Set(deletes.map(({ hash }) => hash)).size;
  const reason = whyNoDeletes(facts.apart === true ? 1 : count, safety, facts);
  if (reason === undefined) return { changes, held: [] };
  return {
    changes: changes.filter(({ operation }) => !isRemoval(operation)),
    held: deletes.map(({ hash, name, rule }) => ({ hash, name, rule, reason })),
  };
}

/** Whether a list lost so many torrents that it is rather the list that is wrong. */
export function isShortList(total: number, lastTotal: number | undefined): boolean {
  return lastTotal !== undefined && lastTotal >= fewTorrents && total < lastTotal / 2;
}

function whyNoDeletes(
  deletes: number,
  safety: Safety,
  { total, lastTotal, unsettled }: RunFacts,
): string | undefined {
  if (total !== undefined && isShortList(total, lastTotal))
    return `qBittorrent listed ${total} torrents, and ${lastTotal} the time before: nothing is deleted on such a list`;
  if (total !== undefined && total >= fewTorrents && unsettled > total / 2)
    return `qBittorrent is still loading ${unsettled} of ${total} torrents`;
  if (deletes > safety.maxDeletes)
    return `${deletes} deletions are more than max_deletes (${safety.maxDeletes}) allows in one run, so none is done`;
  const share =
    total === undefined ? undefined : Math.max(1, Math.floor((total * safety.maxDeletesPercent) / 100));
  if (share !== undefined && deletes > share)
    return `${deletes} deletions are more than max_deletes_percent (${safety.maxDeletesPercent} % of ${total}) allows in one run, so none is done`;
  return undefined;
}

/**
 * Decides for each `if_unshared` whether the data goes, too: only if no torrent uses it that stays or leaves its
 * data behind, and only where this qBittorrent tells where data is.
 */
export function settleSharedFiles(
  changes: readonly Change[],
  library: LibraryIndex | undefined,
  actual: ReadonlyMap<string, Torrent>,
): Change[] {
  const leaving = new Set(changes.filter(takesData).map(({ hash }) => hash));
  return changes.map((change) => {
    const { operation, hash } = change;
    if (operation.kind !== "delete" || operation.deleteFiles !== "if_unshared") return change;
    const torrent = actual.get(hash);
    const path = torrent?.content_path ?? "";
    const users = torrent === undefined ? undefined : library?.sharing(torrent);
    const staying = users?.filter((other) => !leaving.has(other));
    const deleteFiles = path !== "" && staying?.length === 0;
    const why =
      path === "" || staying === undefined
        ? "nobody knows who uses its data"
        : `${staying.length} other torrents use its data`;
    const after = deleteFiles
      ? "deleted with its data, which no other torrent uses"
      : `deleted, data kept: ${why}`;
    const settled: Change = { ...change, operation: { kind: "delete", deleteFiles }, after };
    return deleteFiles && users !== undefined && users.length > 0
      ? { ...settled, leavesWith: users }
      : settled;
  });
}

function takesData({ operation }: Change): boolean {
  return operation.kind === "delete" && operation.deleteFiles !== false;
}

/** Whether any change needs to know who else uses the data. */
export function needsLibrary(changes: readonly Change[]): boolean {
  return changes.some(
    ({ operation }) => operation.kind === "delete" && operation.deleteFiles === "if_unshared",
  );
}
