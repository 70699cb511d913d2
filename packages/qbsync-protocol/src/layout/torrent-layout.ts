/**
 * Where the bytes of a torrent lie: read from the `.torrent` alone, so that two sides with the same file agree on
 * every offset and every hash without asking each other.
 *
 * Padding (BEP 47, and what v2 aligns files with) is known to be zero: it is on no disk and on no wire. A piece's
 * payload is what its slices add up to; its verifier fills in the zeros.
 */
export type TorrentLayout = {
  /** The torrent's own name: its file or its folder. */
  readonly name: string;
  /** One file without a folder around it. */
  readonly isSingleFile: boolean;
  readonly isPrivate: boolean;
  /** 40 hex digits; v1 and hybrid torrents. */
  readonly infohashV1: string | undefined;
  /** 64 hex digits; v2 and hybrid torrents. */
  readonly infohashV2: string | undefined;
  /** What qBittorrent calls `hash`: v1 for v1 torrents, else the first 40 digits of v2. */
  readonly torrentId: string;
  /** The info dictionary, byte by byte as it was hashed. */
  readonly info: Uint8Array;
  /** Bytes from the start of a piece to the start of the next. */
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** Bytes of all files, without padding. */
  readonly totalSize: number;
  /** Without padding, in qBittorrent's order: the index here is the `index` of its files API. */
  readonly files: readonly LayoutFile[];
  /** Bytes of a piece's payload: up to `pieceLength`, less what is padding. */
  pieceSize(piece: number): number;
  /** The payload of a piece in order: the parts of files that it consists of. Files of no bytes are in no piece. */
  slices(piece: number): readonly Slice[];
  /** Checks one piece's payload while it passes by. */
  verifier(piece: number): PieceVerifier;
};

export type LayoutFile = {
  /** Place in `files`. */
  readonly index: number;
  /**
   * Path below the save path with "/", beginning with the torrent's folder if it has one. As libtorrent would write
   * it to a disk: never absolute, never with "..", control characters or empty parts. A user may have renamed it.
   */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** First piece with a byte of it. */
  readonly firstPiece: number;
  /** The piece after the last one; equal to `firstPiece` when the file is empty. */
  readonly endPiece: number;
  /** BEP 47: a symbolic link, of no bytes. */
  readonly isSymlink: boolean;
};

/** Bytes `[offset, offset + length)` of a file. */
export type Slice = {
  /** Index into `files`. */
  readonly file: number;
  readonly offset: number;
  /** At least 1. */
  readonly length: number;
  /** Where it begins in the piece, padding included. */
  readonly pieceOffset: number;
};

export type PieceVerifier = {
  /** Takes the next bytes of the payload, cut however it likes. */
  update(bytes: Uint8Array): void;
  /** Whether all of it, and nothing more, was given and has every hash the torrent names. Once. */
  matches(): boolean;
};
