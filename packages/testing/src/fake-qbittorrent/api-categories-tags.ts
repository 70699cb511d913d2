import { Refusal, json } from "./answers.ts";
import {
  addCategory,
  isCategoryName,
  changeCategory,
  removeCategory,
  setCategory,
  showCategories,
} from "./categories.ts";
import { type Params, parts, toggle } from "./params.ts";
import type { Call, Routes } from "./route.ts";
import { categorySavePath, cleanPath } from "./save-paths.ts";
import { selectTorrents } from "./select-torrents.ts";
import type { Category, FakeState } from "./state.ts";
import { addTag, removeTag, tagNames, tagTorrent, untagTorrent } from "./tags.ts";

export const categoryAndTagRoutes: Routes = {
  "torrents/categories": {
    since: "2.1.1",
    run: ({ state }) => json(Object.fromEntries(showCategories(state))),
  },
  "torrents/createCategory": { method: "POST", needs: ["category"], run: createCategory },
  "torrents/editCategory": {
    method: "POST",
    since: "2.1.0",
    needs: ({ profile }) => (profile.has("categoryShareLimits") ? ["category"] : ["category", "savePath"]),
    run: editCategory,
  },
  "torrents/removeCategories": {
    method: "POST",
    needs: ["categories"],
    run: ({ state, params }) =>
      (params["categories"] ?? "").split("\n").forEach((name) => removeCategory(state, name)),
  },
  "torrents/setCategory": { method: "POST", needs: ["hashes", "category"], run: assignCategory },
  "torrents/tags": { since: "2.3.0", run: ({ state }) => json(tagNames(state)) },
  "torrents/createTags": {
    method: "POST",
    since: "2.3.0",
    needs: ["tags"],
    run: ({ state, params }) => parts(params["tags"], ",").forEach((tag) => addTag(state, tag.trim())),
  },
  "torrents/deleteTags": {
    method: "POST",
    since: "2.3.0",
    needs: ["tags"],
    run: ({ state, params }) => parts(params["tags"], ",").forEach((tag) => removeTag(state, tag.trim())),
  },
  "torrents/addTags": { method: "POST", since: "2.3.0", needs: ["hashes", "tags"], run: addTags },
  "torrents/removeTags": { method: "POST", since: "2.3.0", needs: ["hashes"], run: removeTags },
  "torrents/setTags": {
    method: "POST",
    since: "2.11.4",
    noContentSince: "2.12.0",
    needs: ["hashes", "tags"],
    run: setTags,
  },
};

function createCategory({ state, params }: Call): void {
  const name = categoryName(params);
  if (!isCategoryName(name)) throw new Refusal(409, "Incorrect category name");
  if (!addCategory(state, name, categoryOf(state, params)))
    throw new Refusal(409, "Unable to create category");
}

function editCategory({ state, params }: Call): void {
  const name = categoryName(params);
  const before = state.categories.get(name);
  const after = categoryOf(state, params);
  const isNew = state.profile.has("categoryShareLimits");
  if (before === undefined && isNew) throw new Refusal(404, "Category does not exist");
  // From 5.3 on what is not sent stays as it is.
  if (isNew && params["savePath"] === undefined) after.savePath = before?.savePath ?? "";
  const pathBefore = state.profile.has("plainSavePath") ? before?.savePath : categorySavePath(state, name);
  const isSame = pathBefore === cleanPath(after.savePath) && before?.downloadPath === after.downloadPath;
  if (before === undefined || (isSame && !isNew)) throw new Refusal(409, "Unable to edit category");
  const staysManaged = state.preferences["category_changed_tmm_enabled"] !== false;
  const members = [...state.torrents.values()].filter(({ category }) => category === name);
  changeCategory(state, { members, staysManaged }, () => state.categories.set(name, after));
}

function categoryName(params: Params): string {
  const name = params["category"] ?? "";
  if (name === "") throw new Refusal(400, "Category cannot be empty");
  return name;
}

function categoryOf({ profile }: FakeState, params: Params): Category {
  const savePath = params["savePath"] ?? "";
  const useDownloadPath = profile.has("categoryDownloadPath")
    ? toggle(params["downloadPathEnabled"])
    : undefined;
  const downloadPath = cleanPath(params["downloadPath"] ?? "");
  return {
    savePath: profile.has("plainSavePath") ? cleanPath(savePath) : savePath,
    downloadPath: useDownloadPath === undefined ? undefined : useDownloadPath && downloadPath,
  };
}

function assignCategory({ state, params }: Call): void {
  const name = params["category"] ?? "";
  for (const torrent of selectTorrents(state, params["hashes"])) {
    if (torrent.category !== name && name !== "" && !state.categories.has(name)) {
      throw new Refusal(409, "Incorrect category name");
    }
    setCategory(state, torrent, name);
  }
}

function addTags({ state, params }: Call): void {
  for (const tag of parts(params["tags"], ",")) {
    for (const torrent of selectTorrents(state, params["hashes"])) tagTorrent(state, torrent, tag.trim());
  }
}

function removeTags({ state, params }: Call): void {
  const tags = parts(params["tags"], ",").map((tag) => tag.trim());
  for (const torrent of selectTorrents(state, params["hashes"])) {
    for (const tag of tags.length > 0 ? tags : torrent.tags) untagTorrent(state, torrent, tag);
  }
}

function setTags({ state, params }: Call): void {
  const tags = new Set(parts(params["tags"], ",").map((tag) => tag.trim()));
  for (const torrent of selectTorrents(state, params["hashes"])) {
    for (const tag of torrent.tags) if (!tags.has(tag)) untagTorrent(state, torrent, tag);
    for (const tag of tags) tagTorrent(state, torrent, tag);
  }
}
