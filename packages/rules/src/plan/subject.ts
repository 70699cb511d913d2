import type { Torrent } from "@qbit-sidecars/qbit-client";
import type { PartName, Source } from "../language/source.ts";
import type { Truth } from "../language/truth.ts";
import type { SlowMatches } from "../regex/slow-matches.ts";
import type { LibraryIndex } from "./library-index.ts";

export type Row = Readonly<Record<string, unknown>>;

/** What is the same for all torrents of a run. What is undefined has not been fetched. */
export type World = {
  /** Epoch milliseconds; one moment for the whole run. */
  now: number;
  transfer?: Row;
  preferences?: Row;
  /** `null`: asked for, and qBittorrent does not know (yet). */
  freeSpaceBytes?: number | null;
  library?: LibraryIndex;
  /** Whether a rule has sent a message about a torrent in an earlier run. */
  wasTold?: ((rule: string, hash: string) => boolean) | undefined;
  /** Outcomes of patterns that had to run with a budget. */
  slowMatches?: SlowMatches;
};

type Wanted = Source | "slowMatches";

const nothing: ReadonlySet<never> = new Set<never>();

/** One torrent as far as it is known, with the changes that earlier rules of the run would make. */
export class Subject {
  /** As qBittorrent has it. */
  readonly actual: Torrent;
  readonly world: World;
  /** As later rules see it. */
  info: Torrent;
  /** Answers of conditions that several rules share; void after each simulated change. */
  readonly memo: (Truth | undefined)[] = [];
  // Made when there is something to hold: most torrents of a run have nothing, and there may be 50,000.
  #wanted: Set<Wanted> | undefined;
  #notReady: Set<string> | undefined;
  #failed: Set<string> | undefined;
  /** Why a part could not be fetched; stays through all attempts to plan. */
  #unfetched: Set<string> | undefined;
  #parts: Map<PartName, readonly Row[] | null> | undefined;
  #changedParts: Map<PartName, readonly Row[]> | undefined;
  /** It disappeared while its data was fetched. */
  isGone = false;

  constructor(actual: Torrent, world: World) {
    this.actual = actual;
    this.info = actual;
    this.world = world;
  }

  /** What has to be fetched before it can be planned. */
  get wanted(): ReadonlySet<Wanted> {
    return this.#wanted ?? nothing;
  }

  want(source: Wanted): void {
    (this.#wanted ??= new Set()).add(source);
  }

  /** Why some conditions could not be answered yet. */
  get notReady(): readonly string[] {
    return [...(this.#notReady ?? nothing)];
  }

  noteNotReady(reason: string): void {
    (this.#notReady ??= new Set()).add(reason);
  }

  /** Why some conditions could not be answered at all. */
  get failed(): readonly string[] {
    return [...(this.#failed ?? nothing), ...(this.#unfetched ?? nothing)];
  }

  noteFailed(reason: string): void {
    (this.#failed ??= new Set()).add(reason);
  }

  noteUnfetched(part: PartName, reason: string): void {
    this.setPart(part, null);
    (this.#unfetched ??= new Set()).add(reason);
  }

  /** What was fetched; `null`: it could not be; undefined: not fetched. */
  part(name: PartName): readonly Row[] | null | undefined {
    const part = this.#changedParts?.get(name) ?? this.#parts?.get(name);
    return part === undefined && name === "trackerUrls" ? this.part("trackers") : part;
  }

  setPart(name: PartName, rows: readonly Row[] | null): void {
    (this.#parts ??= new Map()).set(name, rows);
  }

  /** Whether a source can be read; what cannot is noted as wanted. */
  has(source: Source): boolean {
    if (source === "list" || source === "clock") return true;
    const isThere = this.#isThere(source);
    if (!isThere) this.want(source);
    return isThere;
  }

  change(fields: Partial<Torrent>, parts: Partial<Record<PartName, readonly Row[]>> = {}): void {
    this.info = { ...this.info, ...fields };
    for (const [name, rows] of Object.entries(parts))
      if (isPartName(name)) (this.#changedParts ??= new Map()).set(name, rows);
    this.memo.length = 0;
  }

  /** Forgets what a plan did, so that it can be made again with more data. */
  reset(): void {
    this.info = this.actual;
    this.memo.length = 0;
    this.#changedParts = undefined;
    this.#wanted = undefined;
    this.#notReady = undefined;
    this.#failed = undefined;
  }

  // oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive
  #isThere(source: Source): boolean {
    const { world } = this;
    switch (source) {
      case "clock":
      case "list":
        return true;
      case "app":
        return world.preferences !== undefined;
      case "transfer":
        return world.transfer !== undefined;
      case "maindata":
        return world.freeSpaceBytes !== undefined;
      case "library":
        return world.library !== undefined;
      case "trackerUrls":
      case "trackers":
      case "files":
      case "properties":
      case "webseeds":
      case "peers":
        return this.part(source) !== undefined;
    }
  }
}

function isPartName(name: string): name is PartName {
  return ["trackerUrls", "trackers", "files", "properties", "webseeds", "peers"].includes(name);
}
