import { parseRuleDuration } from "../language/durations.ts";
import { checkKeys, type Compiling } from "./compiling.ts";
import { describe, type Entry, plain, type Tree } from "./tree.ts";

/** Guards of every deletion, whatever the rules say. */
export type Safety = {
  /** Deletions of one run; with more than this none of them happens. */
  readonly maxDeletes: number;
  /** The same as a share of all torrents, in percent. One deletion is always allowed. */
  readonly maxDeletesPercent: number;
  readonly protectedTags: readonly string[];
  readonly protectedCategories: readonly string[];
  /** Torrents added less than this long ago stay. */
  readonly minAgeSeconds: number;
  /** Folder to which .torrent files are saved first; what cannot be saved is not deleted. */
  readonly exportTorrentsTo: string | undefined;
};

export const defaultSafety: Safety = {
  maxDeletes: 25,
  maxDeletesPercent: 10,
  protectedTags: [],
  protectedCategories: [],
  minAgeSeconds: 0,
  exportTorrentsTo: undefined,
};

export const safetyKeys: Readonly<Record<string, string>> = {
  max_deletes:
    "deletions of one run; with more than this none of them happens (25). A job about one torrent counts by itself, however many wait",
  max_deletes_percent: "the same as a share of all torrents, in percent; one is always allowed (10)",
  protected_tags: "torrents with one of these tags are never deleted",
  protected_categories: "nor torrents of these categories",
  min_age: "nor torrents added less than this long ago (0)",
  export_torrents_to:
    "folder to which their .torrent files are saved first; what cannot be saved is not deleted",
};

export function readSafety(compiling: Compiling, tree: Tree | undefined): Safety {
  if (tree === undefined) return defaultSafety;
  const { problems } = compiling;
  if (tree.kind !== "map") {
    problems.error(tree.at, `safety is a mapping, not ${describe(tree)}`);
    return defaultSafety;
  }
  // Strict or not: a guard with a wrong name guards nothing, and no older file has any.
  checkKeys({ problems, strict: true }, tree, Object.keys(safetyKeys));
  let safety = defaultSafety;
  for (const pair of tree.entries) {
    const read = readKey(pair);
    if (typeof read === "string")
      problems.error(pair.value.at, `${pair.key} takes ${read}, not ${describe(pair.value)}`);
    else safety = { ...safety, ...read };
  }
  return safety;
}

/** The setting, or what it takes. */
function readKey({ key, value }: Entry): Partial<Safety> | string {
  const given = plain(value);
  const isCount = typeof given === "number" && given >= 0;
  const texts = Array.isArray(given) && given.every((text) => typeof text === "string") ? given : undefined;
  switch (key) {
    case "max_deletes":
      return isCount && Number.isInteger(given) ? { maxDeletes: given } : "a whole number";
    case "max_deletes_percent":
      return isCount && given <= 100 ? { maxDeletesPercent: given } : "a number up to 100";
    case "protected_tags":
      return texts === undefined ? "a list of texts" : { protectedTags: texts };
    case "protected_categories":
      return texts === undefined ? "a list of texts" : { protectedCategories: texts };
    case "min_age": {
      const seconds = parseRuleDuration(given);
      return seconds === undefined ? "a duration such as 7 days" : { minAgeSeconds: seconds };
    }
    case "export_torrents_to":
      return typeof given === "string" && given !== "" ? { exportTorrentsTo: given } : "a folder";
    default:
      return {};
  }
}
