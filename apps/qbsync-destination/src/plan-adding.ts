import { isComplete, type TorrentState } from "@qbit-sidecars/qbit-client";
import type { TorrentLayout } from "@qbit-sidecars/qbsync-protocol";

/** How the torrent is to be in qBittorrent. */
export type Wanted = {
  /** Below the save path, for each file. */
  paths: readonly string[];
  unselected: ReadonlySet<number>;
  tags: readonly string[];
};

/** How it is there. */
export type Seen = {
  state: TorrentState;
  /** 0 to 1, of what is selected. */
  progress: number;
  tags: readonly string[];
  files: readonly { path: string; isSelected: boolean }[];
};

/** The next thing to do, or what is waited for. */
export type AddingStep =
  | { kind: "add"; skipChecking: boolean; contentLayout: ContentLayout }
  | { kind: "stop" }
  | { kind: "select"; selected: number[]; unselected: number[] }
  | { kind: "rename"; from: string; to: string }
  | { kind: "recheck" }
  | { kind: "wait"; progress: number; detail: string }
  | { kind: "tag"; tags: string[] }
  | { kind: "done" }
  | { kind: "fail"; why: string };

export type ContentLayout = "Original" | "Subfolder" | "NoSubfolder";

/**
 * What brings qBittorrent from how it is to how it should be, one step at a time, so that it does not matter where
 * an earlier attempt ended. The torrent never runs on the way.
 *
 * All pieces were verified here, so qBittorrent is asked to believe that, except where it cannot: a partial selection
 * is not complete before the unselected files are unselected, and renamed files are not found before they are
 * renamed; both can only be said of a torrent that is there already.
 *
 * @param hasChecked whether qBittorrent has checked the data since it was asked to
 */
export function planAdding(
  wanted: Wanted,
  seen: Seen | undefined,
  { layout, hasChecked }: { layout: TorrentLayout; hasChecked: boolean },
): AddingStep {
  if (seen === undefined) return planAdd(wanted, layout);
  const detail = `qBittorrent says ${seen.state}, ${(seen.progress * 100).toFixed(1)} %`;
  if (isBusy(seen.state)) return { kind: "wait", progress: seen.progress, detail };
  const renamed = wanted.paths.findIndex(
    (path, index) => seen.files[index] !== undefined && seen.files[index].path !== path,
  );
  const isWhole = isComplete(seen.state) && seen.progress === 1;
  if (!isWhole && isRunning(seen.state)) return { kind: "stop" };
  if (renamed >= 0)
    return { kind: "rename", from: seen.files[renamed]?.path ?? "", to: wanted.paths[renamed] ?? "" };
  const selection = planSelection(wanted, seen);
  if (selection) return selection;
  if (!isWhole)
    return hasChecked
      ? {
          kind: "fail",
          why: `${detail}, though all data was verified here: does it see the same files under its save path?`,
        }
      : { kind: "recheck" };
  const tags = wanted.tags.filter((tag) => !seen.tags.includes(tag));
  return tags.length > 0 ? { kind: "tag", tags } : { kind: "done" };
}

function planAdd({ paths, unselected }: Wanted, layout: TorrentLayout): AddingStep {
  const contentLayout = contentLayoutOf(paths, layout);
  const isNamedSo = pathsIn(contentLayout, layout).every((path, index) => path === paths[index]);
  return { kind: "add", skipChecking: isNamedSo && unselected.size === 0, contentLayout };
}

function planSelection({ unselected }: Wanted, { files }: Seen): AddingStep | undefined {
  const wrong = [...files.entries()].filter(
    ([index, { isSelected }]) => isSelected === unselected.has(index),
  );
  if (wrong.length === 0) return undefined;
  return {
    kind: "select",
    selected: wrong.flatMap(([index]) => (unselected.has(index) ? [] : index)),
    unselected: wrong.flatMap(([index]) => (unselected.has(index) ? index : [])),
  };
}

/** How qBittorrent's three ways of laying out a torrent's content name its files. */
function pathsIn(contentLayout: ContentLayout, { files, isSingleFile, name }: TorrentLayout): string[] {
  const paths = files.map(({ path }) => path);
  if (contentLayout === "Subfolder" && isSingleFile)
    return paths.map((path) => `${withoutExtension(name)}/${path}`);
  if (contentLayout === "NoSubfolder" && !isSingleFile)
    return paths.map((path) => path.slice(path.indexOf("/") + 1));
  return paths;
}

/** The layout that names the most files as wanted. */
function contentLayoutOf(paths: readonly string[], layout: TorrentLayout): ContentLayout {
  const agreement = (candidate: ContentLayout): number =>
    pathsIn(candidate, layout).filter((path, index) => path === paths[index]).length;
  const other = layout.isSingleFile ? "Subfolder" : "NoSubfolder";
  return agreement(other) > agreement("Original") ? other : "Original";
}

const withoutExtension = (name: string): string => name.replace(/(?<=.)\.[^.]+$/u, "");

/** It will be in another state by itself. */
const isBusy = (state: TorrentState): boolean =>
  ["checkingUP", "checkingDL", "checkingResumeData", "moving", "allocating"].includes(state);

const isRunning = (state: TorrentState): boolean =>
  ["downloading", "stalledDL", "queuedDL", "forcedDL", "metaDL", "forcedMetaDL"].includes(state);
