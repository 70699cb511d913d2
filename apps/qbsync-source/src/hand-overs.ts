import { type Clock, type Logger, messageWithCauses } from "@qbit-sidecars/service";
import { inParallel } from "./follow-qbittorrent.ts";
import { type GroupOutcome, HandOff, type HandOffOptions } from "./hand-off.ts";
import { type CleanupGroup, countIn, gigabytes } from "./plan-cleanup.ts";
import type { TrackedTorrent } from "./tracked-torrent.ts";

/** How many torrents were handed off, and what that freed. */
export type Handed = { handedOff: number; freedBytes: number };

export type HandOversOptions = {
  torrents: ReadonlyMap<string, TrackedTorrent>;
  /** In place of that, why not: the destination is away or takes no part in hand-offs. */
  handOff: () => Omit<HandOffOptions, "isGone" | "clock" | "log" | "nameOf"> | string;
  isGone: (id: string) => boolean;
  clock: Clock;
  log: Logger;
  on: {
    outcome: (outcome: GroupOutcome["outcome"], torrents: number) => void;
    freed: (bytes: number) => void;
  };
  /** A torrent was not handed over, and why. */
  onStays: (id: string, why: string) => void;
};

type How = {
  /** False: it is only brought to the end that it has by now. */
  isWanted: boolean;
  /** Asked of each group right before it is begun. */
  mayBegin?: (group: CleanupGroup) => boolean;
  /** What is handed off is added to it. */
  total?: Handed;
};

/** Groups that are handed over at the same time. */
const atOnce = 4;

/** What could not be handed over is left alone for so long. */
const holdMs = 600_000;

/** So long qBittorrent's list may take to show that something was removed. */
const listsLateMs = 600_000;

/** Hands groups over, and remembers which torrents are under way, which are gone, and which had better be left alone. */
export class HandOvers {
  readonly #options: HandOversOptions;
  readonly #holds = new Map<string, { why: string; until: number }>();
  /** Hand-offs with this source that the destination remembers as under way. */
  readonly #remembered = new Set<string>();
  readonly #underWay = new Set<string>();
  /** When torrents were handed off by this process; qBittorrent's list may show that only later. */
  readonly #gone = new Map<string, number>();
  /** What came of the last hand-off of each that was not handed off. */
  readonly #troubles = new Map<string, string>();

  constructor(options: HandOversOptions) {
    this.#options = options;
  }

  get underWayCount(): number {
    return this.#underWay.size;
  }

  /** Torrents whose hand-off was begun, by this process or an earlier one, and has not ended. */
  get remembered(): ReadonlySet<string> {
    return this.#remembered;
  }

  /** Torrents that are left alone, why, and until when (monotonic). */
  get holds(): ReadonlyMap<string, { why: string; until: number }> {
    return this.#holds;
  }

  remember(id: string): void {
    this.#remembered.add(id);
  }

  isUnderWay(id: string): boolean {
    return this.#underWay.has(id);
  }

  isHandedOff(id: string): boolean {
    return this.#gone.has(id);
  }

  /** Whether a hand-off, and not a person, removed it or is about to. */
  isOurs(id: string): boolean {
    return this.#hasJustGone(id) || this.#underWay.has(id) || this.#remembered.has(id);
  }

  #hasJustGone(id: string): boolean {
    const removedAt = this.#gone.get(id) ?? Number.NEGATIVE_INFINITY;
    return this.#options.clock.monotonic() - removedAt < listsLateMs;
  }

  troubleOf(id: string): string | undefined {
    return this.#troubles.get(id);
  }

  /** Resolves when each group has ended, or waits for a side that is away. */
  async run(groups: readonly CleanupGroup[], how: How, signal: AbortSignal): Promise<void> {
    const isHeldBack = (group: CleanupGroup) => signal.aborted || how.mayBegin?.(group) === false;
    await inParallel(groups, atOnce, async (group) => {
      if (how.isWanted && isHeldBack(group)) return;
      for (const id of group.ids) this.#underWay.add(id);
      try {
        await this.#runOne(group, { ...how, of: countIn(groups) }, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        const why = messageWithCauses(error);
        this.#options.log.warn({ torrents: group.ids }, `a hand-off waits: ${this.#namesOf(group)}: ${why}`);
        for (const id of group.ids) {
          this.#remembered.add(id);
          this.#troubles.set(id, `its hand-off waits: ${why}`);
        }
      } finally {
        for (const id of group.ids) this.#underWay.delete(id);
      }
    });
  }

  async #runOne(group: CleanupGroup, how: How & { of: number }, signal: AbortSignal): Promise<void> {
    const { clock, log, isGone, on } = this.#options;
    const parts = this.#options.handOff();
    if (typeof parts === "string") throw new Error(parts);
    const names = this.#namesOf(group);
    const about = { torrents: group.ids };
    if (how.isWanted) log.info(about, `handing over ${names}, ${gigabytes(group.freesBytes)}`);
    const { isWanted } = how;
    const handOff = new HandOff(
      group.ids,
      { isWanted },
      {
        ...parts,
        isGone,
        clock,
        log,
        nameOf: (id) => this.#nameOf(id),
      },
    );
    const { outcome, why } = await handOff.run(signal);
    if (outcome !== "waiting") for (const id of group.ids) this.#remembered.delete(id);
    // qBittorrent's list is late: what has just gone may stand in it with the mark of its hand-off, and comes again.
    const isTold = !isWanted && outcome === "handed off" && group.ids.every((id) => this.#hasJustGone(id));
    if (isTold) return;
    on.outcome(outcome, group.ids.length);
    if (outcome === "waiting") return;
    // There was nothing to bring to an end: its beginning was not answered for. It may be begun again.
    if (outcome === "not begun" && !isWanted) return;
    if (outcome === "handed off") {
      const progress = this.#count(group, how);
      log.info(about, `${names} seeds at the destination and is removed here${progress}`);
      return;
    }
    this.#leaveAlone(group, `it was not handed over: ${why}`);
    if (isWanted) log.warn(about, `${names} stays: ${why}`);
  }

  #namesOf({ ids }: CleanupGroup): string {
    return ids.map((id) => this.#nameOf(id)).join(", ");
  }

  #nameOf(id: string): string {
    return this.#options.torrents.get(id)?.torrent.name ?? id;
  }

  /** @returns how far that is, where a total is kept */
  #count({ ids, freesBytes }: CleanupGroup, { total, of }: How & { of: number }): string {
    const { clock, on } = this.#options;
    for (const id of ids) this.#gone.set(id, clock.monotonic());
    on.freed(freesBytes);
    if (total === undefined) return "";
    total.handedOff += ids.length;
    total.freedBytes += freesBytes;
    return ` (${total.handedOff} of ${of}, ${gigabytes(total.freedBytes)})`;
  }

  #leaveAlone({ ids }: CleanupGroup, why: string): void {
    const { clock, onStays } = this.#options;
    for (const id of ids) {
      this.#holds.set(id, { why, until: clock.monotonic() + holdMs });
      this.#troubles.set(id, why);
      onStays(id, why);
    }
  }
}
