import type { Json } from "../answers.ts";

type Objects = Record<string, Record<string, Json>>;

/** The world as a client of `sync/maindata` sees it after merging its answers. */
export type MaindataView = {
  torrents: Objects;
  categories: Objects;
  tags: string[];
  trackers: Record<string, Json>;
  server_state: Record<string, Json>;
};

export function emptyView(): MaindataView {
  return { torrents: {}, categories: {}, tags: [], trackers: {}, server_state: {} };
}

export function mergeAnswer(before: MaindataView, answer: Record<string, Json>): MaindataView {
  const base = answer["full_update"] === true ? emptyView() : before;
  const removed = (key: string) => new Set((answer[`${key}_removed`] ?? []) as string[]);
  const tags = [
    ...base.tags.filter((tag) => !removed("tags").has(tag)),
    ...((answer["tags"] ?? []) as string[]),
  ];
  return {
    torrents: mergeObjects(base.torrents, (answer["torrents"] ?? {}) as Objects, removed("torrents")),
    categories: mergeObjects(base.categories, (answer["categories"] ?? {}) as Objects, removed("categories")),
    tags: [...new Set(tags)].toSorted(),
    trackers: without(
      { ...base.trackers, ...(answer["trackers"] as Record<string, Json>) },
      removed("trackers"),
    ),
    server_state: { ...base.server_state, ...(answer["server_state"] as Record<string, Json>) },
  };
}

function mergeObjects(before: Objects, changed: Objects, removed: ReadonlySet<string>): Objects {
  const merged = { ...before };
  for (const [key, fields] of Object.entries(changed)) merged[key] = { ...merged[key], ...fields };
  return without(merged, removed);
}

function without<T>(entries: Record<string, T>, removed: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => !removed.has(key)));
}
