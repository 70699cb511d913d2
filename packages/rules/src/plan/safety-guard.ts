import { tagsOf, type Torrent } from "@qbit-sidecars/qbit-client";
import type { Safety } from "../compile/safety.ts";
import { isRemoval } from "./operation.ts";
import type { Change, Held } from "./change.ts";
import type { Subject, World } from "./subject.ts";

/** Why this torrent must not be deleted; undefined when it may. What earlier rules of the run did does not unprotect it. */
export function whyProtected(
  { actual, info, world }: Pick<Subject, "actual" | "info" | "world">,
  safety: Safety,
): string | undefined {
  if (actual.state === "checkingResumeData") return "qBittorrent is still finding out what it has of it";
  const tags = new Set([...tagsOf(actual), ...tagsOf(info)].map(spelling));
  const tag = safety.protectedTags.find((protectedTag) => tags.has(spelling(protectedTag)));
  if (tag !== undefined) return `it has the protected tag ${JSON.stringify(tag)}`;
  const category = safety.protectedCategories.find((name) => isIn(actual, name) || isIn(info, name));
  if (category !== undefined) return `it is in the protected category ${JSON.stringify(category)}`;
  return whyTooYoung(actual, { nowMs: world.now, minAgeSeconds: safety.minAgeSeconds });
}

function whyTooYoung(
  { added_on: addedOn }: Torrent,
  { nowMs, minAgeSeconds }: { nowMs: number; minAgeSeconds: number },
): string | undefined {
  if (minAgeSeconds === 0) return undefined;
  if (!(addedOn > 0)) return "nobody knows when it was added, and there is a min_age";
  const ageSeconds = nowMs / 1000 - addedOn;
  if (ageSeconds >= minAgeSeconds) return undefined;
  return `it was added ${Math.max(0, Math.floor(ageSeconds))} s ago, less than min_age (${minAgeSeconds} s)`;
}

/** Subcategories belong to their category. */
function isIn({ category }: Torrent, name: string): boolean {
  const [whole, part] = [spelling(category), spelling(name).replace(/\/+$/u, "")];
  return whole === part || (part !== "" && whole.startsWith(`${part}/`));
}

/** For guards, what may be meant is what is meant: capitals, spaces and how an é is composed make no difference. */
function spelling(word: string): string {
  return word.normalize("NFC").trim().toLowerCase();
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
 * Guards of each torrent once more, by what qBittorrent lists right before anything is removed: a plan may be minutes
 * old, and somebody may have tagged, moved or removed a torrent meanwhile.
 *
 * @param fresh torrents to remove, by hash, as they are now
 */
export function guardAgain(
  changes: readonly Change[],
  fresh: ReadonlyMap<string, Torrent>,
  { safety, world }: { safety: Safety; world: World },
): { changes: readonly Change[]; held: Held[] } {
  const held: Held[] = [];
  const kept = changes.filter(({ operation, hash, name, rule }) => {
    if (!isRemoval(operation)) return true;
    const torrent = fresh.get(hash);
    const reason =
      torrent === undefined
        ? "qBittorrent no longer lists it"
        : whyProtected({ actual: torrent, info: torrent, world }, safety);
    if (reason !== undefined) held.push({ hash, name, rule, reason });
    return reason === undefined;
  });
  return { changes: kept, held };
}
