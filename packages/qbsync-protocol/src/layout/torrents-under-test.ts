import { type MadeTorrent, makeTorrent, type TorrentOptions } from "@qbit-sidecars/testing";
import fc from "fast-check";
import type { TorrentLayout } from "./torrent-layout.ts";

/** One torrent of every kind, with the things that layouts get wrong: borders within pieces, empty files, small files. */
export const kinds: readonly Pick<TorrentOptions, "version" | "padded">[] = [
  { version: "v1" },
  { version: "v1", padded: true },
  { version: "v2" },
  { version: "hybrid" },
];

export const shapes: Readonly<Record<string, Omit<TorrentOptions, "version">>> = {
  "one file": { files: [{ path: "one.bin", size: 100_000 }] },
  "one file of five bytes": { files: [{ path: "five.txt", size: 5 }] },
  "one file in a folder": { files: [{ path: "a/b.bin", size: 40_000 }], name: "folder" },
  "borders, empty files, odd names": {
    files: [
      { path: "0 empty", size: 0 },
      { path: "a/film é 電.bin", size: 100_000 },
      { path: "a/empty", size: 0 },
      { path: "b", size: 32_768 },
      { path: "c", size: 32_769 },
      { path: "d/e/f/g.txt", size: 1 },
      { path: "z empty", size: 0 },
    ],
    pieceLength: 32_768,
    name: "borders",
  },
  "many small files in large pieces": {
    files: Array.from({ length: 120 }, (_, index) => ({
      path: `${index % 7}/${index}`,
      size: (index * 7919) % 20_000,
    })),
    pieceLength: 131_072,
    name: "many",
  },
};

export function madeTorrents(): [string, MadeTorrent][] {
  return kinds.flatMap(({ version, padded = false }) =>
    Object.entries(shapes).map(([shape, options]): [string, MadeTorrent] => [
      `${version}${padded ? " padded" : ""}, ${shape}`,
      makeTorrent({ ...options, version, padded }),
    ]),
  );
}

/** Any torrent that can be made on the spot, small enough to be hashed a few hundred times. */
export const anyTorrent: fc.Arbitrary<MadeTorrent> = fc
  .record({
    kind: fc.constantFrom(...kinds),
    sizes: fc.array(fc.oneof(fc.nat(70_000), fc.constantFrom(0, 1, 16_383, 16_384, 16_385, 32_768)), {
      minLength: 1,
      maxLength: 8,
    }),
    pieceLength: fc.constantFrom(16_384, 32_768, 65_536),
    seed: fc.nat(1000),
  })
  .filter(({ sizes }) => sizes.some((size) => size > 0))
  .map(({ kind, sizes, pieceLength, seed }) =>
    makeTorrent({
      ...kind,
      files: sizes.map((size, index) => ({ path: `${index % 3}/${index}`, size })),
      pieceLength,
      seed,
      name: "any",
    }),
  );

/** The payload of a piece, from the contents of the files. */
export function payload(made: MadeTorrent, layout: TorrentLayout, piece: number): Buffer {
  return Buffer.concat(
    layout.slices(piece).map(({ file, offset, length }) => {
      const content = made.files[file]?.content(offset, length);
      if (content === undefined) throw new Error(`no file ${file}`);
      return content;
    }),
  );
}
