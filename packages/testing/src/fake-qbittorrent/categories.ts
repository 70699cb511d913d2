import type { Json } from "./answers.ts";
import { relocate } from "./disk.ts";
import { categorySavePath } from "./save-paths.ts";
import type { Category, FakeState, FakeTorrent } from "./state.ts";
import { update } from "./torrent.ts";

/** Parts between slashes, none of them empty, and no backslash. */
export function isCategoryName(name: string): boolean {
  return /^([^\\/]|[^\\/]([^\\/]|\/(?=[^/]))*[^\\/])$/.test(name);
}

/** @returns false when the name is bad or taken */
export function addCategory(state: FakeState, name: string, category: Category): boolean {
  if (!isCategoryName(name) || state.categories.has(name)) return false;
  if (hasSubcategories(state)) {
    for (const parent of parentsOf(name)) {
      if (!state.categories.has(parent))
        state.categories.set(parent, { savePath: "", downloadPath: undefined });
    }
  }
  state.categories.set(name, category);
  return true;
}

export function removeCategory(state: FakeState, name: string): void {
  const isBelow = (category: string) => hasSubcategories(state) && category.startsWith(`${name}/`);
  for (const torrent of state.torrents.values()) {
    if (torrent.category === name || (name !== "" && isBelow(torrent.category)))
      setCategory(state, torrent, "");
  }
  for (const category of state.categories.keys()) {
    if (category === name || isBelow(category)) state.categories.delete(category);
  }
}

export function setCategory(state: FakeState, torrent: FakeTorrent, category: string): void {
  if (torrent.category === category) return;
  const staysManaged = state.preferences["torrent_changed_tmm_enabled"] !== false;
  changeCategory(state, { members: [torrent], staysManaged }, () => update(state, torrent, { category }));
}

/**
 * A change of a category, or of whose it is: torrents under automatic management follow it, or leave automatic
 * management for it. Those that leave stay where they are, except in 4.4 and 4.5, where they still go along.
 */
export function changeCategory(
  state: FakeState,
  { members, staysManaged }: { members: readonly FakeTorrent[]; staysManaged: boolean },
  change: () => void,
): void {
  const managed = members.filter(({ isAutoManaged }) => isAutoManaged);
  if (!staysManaged) for (const torrent of managed) update(state, torrent, { isAutoManaged: false });
  change();
  const { profile } = state;
  const goesAlong = profile.has("leavingMovesTorrents") && !profile.has("leavingKeepsTorrents");
  if (!staysManaged && !goesAlong) return;
  for (const torrent of managed) {
    relocate(state, torrent, { savePath: categorySavePath(state, torrent.category) });
  }
}

export function hasSubcategories(state: FakeState): boolean {
  return state.profile.has("subcategoriesAlways") || state.preferences["use_subcategories"] === true;
}

/** "a/b/c" belongs to "a/b" and to "a". */
function parentsOf(name: string): string[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"));
}

/** As `torrents/categories` and `sync/maindata` show them, by name. */
export function showCategories(state: FakeState): Map<string, Record<string, Json>> {
  const names = [...state.categories.keys()].toSorted();
  return new Map(
    names.map((name) => [name, showCategory(state, name, state.categories.get(name) as Category)]),
  );
}

function showCategory({ profile }: FakeState, name: string, category: Category): Record<string, Json> {
  const always = profile.has("subcategoriesAlways");
  return {
    name,
    savePath: category.savePath,
    ...(category.downloadPath !== undefined && { download_path: category.downloadPath }),
    ...(category.downloadPath === undefined && always && { download_path: null }),
    ...(profile.has("categoryShareLimits") && {
      inactive_seeding_time_limit: -2,
      ratio_limit: -2,
      seeding_time_limit: -2,
      share_limit_action: "Default",
      share_limits_mode: "Default",
    }),
  };
}
