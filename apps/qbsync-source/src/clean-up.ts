import type { Torrent } from "@qbit-sidecars/qbit-client";
import { isUnderWay, type TorrentState } from "@qbit-sidecars/qbsync-protocol";
import type { ContentFiles } from "./content-files.ts";
import { FreeSpace } from "./free-space.ts";
import { type DrainLimits, type DrainOutcome, type DrainSteps, drainAll } from "./drain-loop.ts";
import { type Handed, HandOvers, type HandOversOptions } from "./hand-overs.ts";
import {
  type CleanupGroup,
  type CleanupPurpose,
  type CleanupTorrent,
  gigabytes,
  planCleanup,
} from "./plan-cleanup.ts";
import { candidatesOf, groupsWith } from "./cleanup-candidates.ts";
import { markOf } from "./qbittorrent-hand-off.ts";
import type { Tags } from "./tracked-torrent.ts";

/** What is going to happen with one torrent, and why nothing does. */
export type CleanupReport = { plan: "handing over" | "hand over" | "stay"; why: string };

export type CleanUpOptions = Omit<HandOversOptions, "onStays"> & {
  /** Which files torrents have. @throws QbitError */
  contents: (torrents: readonly Torrent[], signal: AbortSignal) => Promise<Map<string, ContentFiles>>;
  /** Bytes that are free where the data is. */
  freeBytes: () => Promise<number>;
  /** How long qBittorrent has been up with its list whole; anything is removed only when that is long enough. */
  listedForMs: () => number;
  settleMs: number;
  tags: Tags & { excludeCleanup: string };
  sourceName: string;
  minSpaceBytes: number;
  minSeedingTimeMs: number;
  /** Between two readings of the free space that are believed. */
  apartMs: number;
  dryRun: boolean;
};

/** Decides which torrents are handed over, for space or for a drain, and sees that what was begun comes to its end. */
export class CleanUp {
  readonly #options: CleanUpOptions;
  readonly #handOvers: HandOvers;
  readonly #space: FreeSpace;
  /** Why each torrent stays, and which do not, by the last look. */
  #reasons = new Map<string, string>();
  #next: ReadonlySet<string> = new Set();
  #isDraining = false;
  #isEnding = false;
  #mayBegin: () => boolean = () => true;
  #busy: Promise<unknown> = Promise.resolve();
  #said = "";

  constructor(options: CleanUpOptions) {
    this.#options = options;
    this.#handOvers = new HandOvers({ ...options, onStays: (id, why) => this.#reasons.set(id, why) });
    this.#space = new FreeSpace({ minBytes: options.minSpaceBytes, apartMs: options.apartMs });
  }

  get underWayCount(): number {
    return this.#handOvers.underWayCount;
  }

  get freeBytes(): number | undefined {
    return this.#space.lastBytes;
  }

  /** Torrents that are complete at the destination and still here. */
  get waitingCount(): number {
    return [...this.#options.torrents.values()].filter(
      ({ isFinished, goneSince }) => isFinished && goneSince === undefined,
    ).length;
  }

  /** Whether a hand-off, and not a person, removed it or is about to. */
  isHandedOff(id: string): boolean {
    return this.#handOvers.isOurs(id);
  }

  /** What is going to happen with a torrent, and why it stays, by the last look: the clean-up's part of `GET /plan`. */
  planOf(id: string): CleanupReport {
    if (this.#handOvers.isUnderWay(id)) return { plan: "handing over", why: "" };
    if (this.#next.has(id)) return { plan: "hand over", why: "it is next" };
    return { plan: "stay", why: this.#reasons.get(id) ?? "it was not looked at yet" };
  }

  /** The destination told what it has. */
  connected(states: readonly TorrentState[]): void {
    for (const { torrentId, handOff } of states)
      if (isUnderWay(handOff) && handOff?.sourceName === this.#options.sourceName)
        this.#handOvers.remember(torrentId);
  }

  /** One look: brings to an end what was begun, and begins what is needed for space. */
  async step(signal: AbortSignal): Promise<void> {
    await this.#alone(async () => {
      const free = await this.#options.freeBytes();
      const verdict = this.#space.read(free, this.#options.clock.monotonic());
      if (this.#isDraining || this.#isEnding) return;
      await this.#resume(signal);
      const purpose = this.#spacePurpose(free);
      const why = this.#whyNothing();
      if (verdict !== "short" || why !== undefined) {
        this.#explain(
          purpose,
          why ?? (verdict === "room" ? undefined : "the free space is read a second time first"),
        );
        return;
      }
      const { groups } = await this.#plan(purpose, signal);
      if (groups.length === 0)
        return this.#sayOnce(`only ${gigabytes(free)} are free, and nothing can be handed over`);
      await this.#handOver(groups, signal);
    });
  }

  /** Hands over all that can be, until nothing is left or the deadline. */
  async drain(limits: DrainLimits): Promise<DrainOutcome> {
    this.#isDraining = true;
    this.#mayBegin = limits.mayBegin;
    try {
      return await this.#alone(() => {
        // What a look before this drain found may not hold any more.
        this.#reasons = new Map();
        return drainAll(limits, this.#drainSteps());
      });
    } finally {
      this.#isDraining = false;
      this.#mayBegin = () => true;
    }
  }

  /** Begins nothing more, and resolves when what is under way has ended. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#busy.catch(() => {});
  }

  #drainSteps(): DrainSteps {
    const { clock, log, dryRun, listedForMs, settleMs } = this.#options;
    return {
      whyNothing: () => this.#whyNothing(),
      isSettled: () => listedForMs() >= settleMs,
      resume: (signal) => this.#resume(signal),
      plan: async (signal) => (await this.#plan({ kind: "drain" }, signal)).groups,
      handOver: (groups, total, signal) => this.#handOver(groups, signal, total),
      sayDryly: dryRun ? (groups) => this.#sayDryly(groups, "drain") : undefined,
      left: (trouble) => this.#left(trouble),
      clock,
      log,
    };
  }

  #left(trouble: string): DrainOutcome["left"] {
    const left = [];
    for (const { id, torrent, goneSince } of this.#options.torrents.values())
      if (goneSince === undefined && !this.#handOvers.isHandedOff(id))
        left.push({ name: torrent.name, why: this.#whyLeft(id, trouble) });
    return left;
  }

  /** What was tried is chosen again by the last look of a drain, which only it knows to be the last. */
  #whyLeft(id: string, trouble: string): string {
    const why = this.#reasons.get(id) ?? this.#handOvers.troubleOf(id) ?? trouble;
    return why === "" ? "it was not looked at" : why;
  }

  /** What was begun before, by this process or an earlier one. */
  async #resume(signal: AbortSignal): Promise<void> {
    const { torrents, dryRun } = this.#options;
    const marked = [...torrents.values()].filter(
      ({ torrent, goneSince }) => goneSince === undefined && markOf(torrent) !== "none",
    );
    for (const { id } of marked) this.#handOvers.remember(id);
    const { remembered } = this.#handOvers;
    if (remembered.size === 0 || dryRun || typeof this.#options.handOff() === "string") return;
    const begun = (await this.#groups(signal)).filter(({ ids }) => ids.some((id) => remembered.has(id)));
    const listed = new Set(begun.flatMap(({ ids }) => ids));
    const unlisted = [...remembered].filter((id) => !listed.has(id));
    const groups = [...begun, ...unlisted.map((id) => ({ ids: [id], freesBytes: 0 }))];
    await this.#handOvers.run(groups, { isWanted: false }, signal);
  }

  async #handOver(groups: readonly CleanupGroup[], signal: AbortSignal, total?: Handed): Promise<void> {
    if (this.#options.dryRun) return this.#sayDryly(groups, "free space");
    const mayBegin = (group: CleanupGroup) =>
      !this.#isEnding && this.#mayBegin() && this.#isStillWanted(group);
    await this.#handOvers.run(groups, { isWanted: true, mayBegin, ...(total && { total }) }, signal);
    this.#space.reset();
  }

  /** A torrent may have been tagged, or changed, while others were handed over. */
  #isStillWanted({ ids }: CleanupGroup): boolean {
    const purpose: CleanupPurpose = { kind: "drain" };
    const torrents = this.#torrents(new Map()).filter(({ id }) => ids.includes(id));
    return planCleanup(torrents, [{ ids, freesBytes: 1 }], purpose).chosen.length > 0;
  }

  /** Undefined when torrents may be removed now; else why none is, whichever it is. */
  #whyNothing(): string | undefined {
    const { handOff, listedForMs, settleMs } = this.#options;
    const parts = handOff();
    if (typeof parts === "string") return parts;
    if (listedForMs() < settleMs) return "qBittorrent's list of torrents is not known for long enough";
    return undefined;
  }

  async #plan(purpose: CleanupPurpose, signal: AbortSignal) {
    const { torrents, contents } = await this.#look(signal);
    const groups = groupsWith(torrents, contents);
    const { chosen, stay } = planCleanup(this.#torrents(contents), groups, purpose);
    this.#reasons = stay;
    this.#next = new Set(chosen.flatMap(({ ids }) => ids));
    return { groups: chosen };
  }

  async #groups(signal: AbortSignal): Promise<CleanupGroup[]> {
    const { torrents, contents } = await this.#look(signal);
    return groupsWith(torrents, contents);
  }

  async #look(signal: AbortSignal) {
    const listed = [...this.#options.torrents.values()].filter(({ goneSince }) => goneSince === undefined);
    const torrents = listed.map(({ torrent }) => torrent);
    return { torrents, contents: await this.#options.contents(torrents, signal) };
  }

  /** For people: as if it were looked at for space, without asking anybody anything. */
  #explain(purpose: CleanupPurpose, why: string | undefined): void {
    const torrents = this.#torrents(new Map());
    const groups = torrents.map(({ id, sizeBytes }) => ({ ids: [id], freesBytes: sizeBytes }));
    const { stay, chosen } = planCleanup(torrents, groups, purpose);
    const next = chosen.flatMap(({ ids }) => ids);
    if (why !== undefined) for (const id of next) stay.set(id, why);
    this.#reasons = stay;
    this.#next = new Set(why === undefined ? next : []);
  }

  #torrents(contents: ReadonlyMap<string, ContentFiles>): CleanupTorrent[] {
    const { torrents, tags, clock, listedForMs } = this.#options;
    return candidatesOf(torrents.values(), {
      tags,
      contents,
      holds: this.#handOvers.holds,
      now: clock.monotonic(),
      listedForMs: listedForMs(),
    });
  }

  #spacePurpose(freeBytes: number): CleanupPurpose {
    const { minSpaceBytes, minSeedingTimeMs } = this.#options;
    return { kind: "space", freeBytes, minSpaceBytes, minSeedingTimeMs };
  }

  #sayDryly(groups: readonly CleanupGroup[], why: string): void {
    const { torrents } = this.#options;
    for (const { ids, freesBytes } of groups) {
      const names = ids.map((id) => torrents.get(id)?.torrent.name ?? id).join(", ");
      this.#sayOnce(
        `dry run: ${names} would be handed over and removed here (${why}), ${gigabytes(freesBytes)}`,
      );
    }
  }

  readonly #saidBefore = new Set<string>();

  #sayOnce(what: string): void {
    if (this.#said === what || this.#saidBefore.has(what)) return;
    this.#said = what;
    if (what.startsWith("dry run")) this.#saidBefore.add(what);
    this.#options.log.info(what);
  }

  /** One after the other: a drain begins when a step has ended. */
  async #alone<T>(task: () => Promise<T>): Promise<T> {
    const before = this.#busy;
    const running = (async () => {
      await before.catch(() => {});
      return await task();
    })();
    this.#busy = running;
    return await running;
  }
}
