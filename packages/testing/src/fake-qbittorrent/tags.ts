import type { FakeState, FakeTorrent } from "./state.ts";
import { update } from "./torrent.ts";

export function isTag(tag: string): boolean {
  return tag.trim() !== "" && !tag.includes(",");
}

export function addTag(state: FakeState, tag: string): void {
  if (isTag(tag)) state.tags.add(tag);
}

export function removeTag(state: FakeState, tag: string): void {
  state.tags.delete(tag);
  for (const torrent of state.torrents.values()) untagTorrent(state, torrent, tag);
}

/** A tag given to a torrent exists from then on. */
export function tagTorrent(state: FakeState, torrent: FakeTorrent, tag: string): void {
  if (!isTag(tag) || torrent.tags.has(tag)) return;
  addTag(state, tag);
  update(state, torrent, { tags: new Set([...torrent.tags, tag]) });
}

export function untagTorrent(state: FakeState, torrent: FakeTorrent, tag: string): void {
  if (!torrent.tags.has(tag)) return;
  update(state, torrent, { tags: new Set([...torrent.tags].filter((other) => other !== tag)) });
}

export function tagNames(state: FakeState): string[] {
  return sortedTags(state.tags);
}

/** Without regard to case, as 5.0 and later list them; earlier versions list them in any order. */
export function sortedTags(tags: Iterable<string>): string[] {
  return [...tags].toSorted((left, right) => left.localeCompare(right, "en", { sensitivity: "base" }));
}
