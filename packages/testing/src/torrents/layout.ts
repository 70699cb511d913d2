import { pseudoRandomBytes } from "./content.ts";
import { blockBytes } from "./merkle.ts";

/** What a torrent holds, in its own order, before anything is hashed. */
export type Layout = {
  name: string;
  isSingleFile: boolean;
  pieceLength: number;
  files: readonly PlannedFile[];
};

export type PlannedFile = {
  parts: readonly string[];
  size: number;
  content: (offset?: number, length?: number) => Buffer;
};

type LayoutOptions = {
  version: "v1" | "v2" | "hybrid";
  files: readonly { path: string; size: number }[];
  pieceLength?: number;
  name?: string;
  seed?: string | number;
};

/** @throws RangeError when the piece length or the files are impossible */
export function planLayout({
  version,
  files,
  pieceLength = blockBytes,
  name,
  seed = "1",
}: LayoutOptions): Layout {
  if (!Number.isInteger(Math.log2(pieceLength)) || pieceLength < blockBytes) {
    throw new RangeError(`the piece length ${pieceLength} is no power of two from ${blockBytes}`);
  }
  const [first] = files;
  if (!first) throw new RangeError("a torrent has at least one file");
  const isAlone = files.length === 1 && !first.path.includes("/");
  const isSingleFile = isAlone && (name ?? first.path) === first.path;
  if (isAlone && !isSingleFile && version !== "v1") {
    // BEP 52 has no folder with one file: readers take the file tree of one for a single file, whatever the name.
    throw new RangeError(`a ${version} torrent of the file ${first.path} cannot have another name`);
  }
  const planned = files.map(({ path, size }): PlannedFile => {
    const content = (offset = 0, length = size - offset) =>
      pseudoRandomBytes(`${seed}/${path}`, offset, length);
    return { parts: path.split("/"), size, content };
  });
  return {
    name: name ?? (isSingleFile ? first.path : `torrent-${seed}`),
    isSingleFile,
    pieceLength,
    files: version === "v1" ? planned : planned.toSorted(inTreeOrder),
  };
}

/** The files of a v2 torrent are in the order of its file tree, a bencoded dictionary of dictionaries. */
function inTreeOrder(a: PlannedFile, b: PlannedFile): number {
  for (const [depth, part] of a.parts.entries()) {
    const other = b.parts[depth];
    if (other === undefined) break;
    const order = Buffer.compare(Buffer.from(part), Buffer.from(other));
    if (order !== 0) return order;
  }
  throw new RangeError(`${a.parts.join("/")} and ${b.parts.join("/")} cannot be in one torrent`);
}
