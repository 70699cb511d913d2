import { type FakeState, textSetting } from "./state.ts";

/** Where torrents of a category go under automatic management: its own path, or a folder of its name. */
export function categorySavePath(state: FakeState, name: string): string {
  const base = defaultSavePath(state);
  if (name === "") return base;
  const own = state.categories.get(name)?.savePath ?? "";
  return own === "" ? implicitPath(state, name) : absolutePath(base, own);
}

/** Since subcategories are always on, one lies in the folder of the category it belongs to. */
function implicitPath(state: FakeState, name: string): string {
  const cut = name.lastIndexOf("/");
  if (cut < 0 || !state.profile.has("subcategoriesAlways")) return `${defaultSavePath(state)}/${name}`;
  return `${categorySavePath(state, name.slice(0, cut))}/${name.slice(cut + 1)}`;
}

export function defaultSavePath(state: FakeState): string {
  return cleanPath(textSetting(state, "save_path"));
}

export function absolutePath(base: string, path: string): string {
  return path.startsWith("/") ? cleanPath(path) : cleanPath(`${base}/${path}`);
}

/** Without a slash at the end, without doubled ones. */
export function cleanPath(path: string): string {
  return path.replaceAll(/\/+/g, "/").replace(/(?<=.)\/$/, "");
}

export function canWrite(state: FakeState, path: string): boolean {
  return !state.unwritable.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
