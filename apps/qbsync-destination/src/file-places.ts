import type { LogEntry, Origin, PieceLog } from "./piece-log.ts";

/** A file that is not whole, under its hidden name. */
export type Unfinished = { kind: "unfinished"; ino: bigint };

/** A file under its name; `ctimeNs` tells later whether anybody touched it since. */
export type Placed = { kind: "placed"; origin: Origin; ino: bigint; ctimeNs: bigint };

/** Where one file of a torrent is on this disk. */
export type Place = Unfinished | Placed;

/** Somebody stands on such a file besides this torrent: it stays whatever becomes of the torrent. */
export const isOthersToo = ({ origin }: Placed): boolean => origin === "foreign" || origin === "shared";

/** What is known of where the files of a torrent are, and noted in its log. Files that nothing is known of are not here. */
export class FilePlaces {
  readonly #log: Pick<PieceLog, "append">;
  readonly #places = new Map<number, Place>();
  /** Files that were there when the torrent was finished: a qBittorrent has them since. */
  readonly #kept = new Set<number>();

  constructor(log: Pick<PieceLog, "append">) {
    this.#log = log;
  }

  /** Takes over what an earlier life of this program noted. */
  read(entries: Iterable<LogEntry>): void {
    for (const entry of entries) {
      if (entry.kind === "created") this.#places.set(entry.file, { kind: "unfinished", ino: entry.ino });
      if (entry.kind === "placed") this.#places.set(entry.file, entry);
      if (entry.kind === "finished") for (const file of this.#places.keys()) this.#kept.add(file);
    }
  }

  get(file: number): Place | undefined {
    return this.#places.get(file);
  }

  [Symbol.iterator](): IterableIterator<[number, Place]> {
    return this.#places.entries();
  }

  /** Undefined where it has not got its name. */
  placed(file: number): Placed | undefined {
    const place = this.#places.get(file);
    return place?.kind === "placed" ? place : undefined;
  }

  wasKept(file: number): boolean {
    return this.#kept.has(file);
  }

  /** Inodes of placed files. */
  *inodes(): Iterable<bigint> {
    for (const place of this.#places.values()) if (place.kind === "placed") yield place.ino;
  }

  /** As it was found on the disk, which needs no note. */
  correct(file: number, place: Place): void {
    this.#places.set(file, place);
  }

  forget(file: number): void {
    this.#places.delete(file);
  }

  async noteCreated(file: number, ino: bigint): Promise<void> {
    this.#places.set(file, { kind: "unfinished", ino });
    await this.#log.append({ kind: "created", file, ino });
  }

  async notePlaced(file: number, place: Omit<Placed, "kind">): Promise<void> {
    const { origin, ino, ctimeNs } = place;
    this.#places.set(file, { kind: "placed", origin, ino, ctimeNs });
    await this.#log.append({ kind: "placed", file, origin, ino, ctimeNs });
  }

  /** From now on these are somebody else's as well, and stay whatever becomes of this torrent. */
  async leave(inodes: ReadonlySet<bigint>): Promise<void> {
    for (const [file, place] of this.#places)
      if (place.kind === "placed" && !isOthersToo(place) && inodes.has(place.ino))
        await this.notePlaced(file, { ...place, origin: "foreign" });
  }
}
