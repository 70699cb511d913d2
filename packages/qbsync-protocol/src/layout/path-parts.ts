import { LayoutError } from "./layout-error.ts";

/** What a file system takes as one name. */
const longestPart = 255;

/**
 * One name of a path as libtorrent writes it to a disk (`sanitize_append_path_element`): without slashes, control
 * characters and marks that turn the direction of writing; "_" where nothing is left; undefined for "." and "..",
 * which it leaves out.
 */
export function pathPart(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\uFFFD", "_");
  if (text === "." || text === "..") return undefined;
  // oxlint-disable-next-line no-control-regex
  const kept = text.replaceAll(/[/\\\0-\x1f\x7f\u200e\u200f\u202a-\u202e]/g, "");
  return kept === "" || kept === "." || kept === ".." ? "_" : shortened(kept);
}

/** The parts of a path; at least one is there. */
export function pathParts(parts: readonly Uint8Array[]): string[] {
  const kept = parts.map(pathPart).filter((part) => part !== undefined);
  return kept.length === 0 ? ["_"] : kept;
}

/** Refuses files that would be the same file on a disk, or one of them a folder of the other. */
export function refuseSharedPaths(paths: readonly string[]): void {
  const files = new Set(paths);
  if (files.size !== paths.length) throw new LayoutError("two files of the torrent have the same path");
  const folders = new Set<string>();
  for (const path of paths) {
    // What is known to be a folder has parents that are known as well.
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const folder = path.slice(0, slash);
      if (folders.has(folder)) break;
      folders.add(folder);
      if (files.has(folder)) throw new LayoutError("a file of the torrent is also a folder of it");
    }
  }
}

function shortened(part: string): string {
  const bytes = Buffer.from(part);
  if (bytes.length <= longestPart) return part;
  const dot = part.lastIndexOf(".");
  const extension = dot > 0 && part.length - dot <= 10 ? part.slice(dot) : "";
  const kept = bytes.subarray(0, longestPart - Buffer.byteLength(extension)).toString();
  return kept.replace(/\uFFFD+$/, "") + extension;
}
