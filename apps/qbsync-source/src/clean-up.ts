import type { Torrent } from "@qbit-sidecars/qbit-client";
import { isUnderWay, type TorrentState } from "@qbit-sidecars/qbsync-protocol";
import { type Clock, type Logger, messageWithCauses } from "@qbit-sidecars/service";
import type { ContentFiles } from "./content-files.ts";
import { FreeSpace } from "./free-space.ts";
import { inParallel } from "./follow-qbittorrent.ts";
import { type GroupOutcome, HandOff, type HandOffOptions } from "./hand-off.ts";
import {
  type CleanupGroup,
  type CleanupPurpose,
  type CleanupTorrent,
  countOfTorrents,
  gigabytes,
  planCleanup,
} from "./plan-cleanup.ts";
import { candidatesOf, groupsWith } from "./cleanup-candidates.ts";
import { markOf } from "./qbittorrent-hand-off.ts";
import type { Tags, TrackedTorrent } from "./tracked-torrent.ts";

export type DrainLimits = {
  /** Ends everything. */
  deadline: AbortSignal;
  /** False in the last part of its time: then only what is under way is to end. */
  mayBegin: () => boolean;
  /** It was drained before: a side that is away by now does not matter. */
  wasDrained: boolean;
};

/** What a drain came to. */
export type DrainOutcome = {
  handedOff: number;
  freedBytes: number;
  /** Those that stay, and why. */
  left: { name: string; why: string }[];
};

/** What is going to happen with one torrent, and why nothing does. */
export type CleanupReport = { plan: "handing over" | "hand over" | "stay"; why: string };

export type CleanUpOptions = {
  torrents: ReadonlyMap<string, TrackedTorrent>;
  /** Which files torrents have. @throws QbitError */
  contents: (torrents: readonly Torrent[], signal: AbortSignal) => Promise<Map<string, ContentFiles>>;
  /** Bytes that are free where the data is. */
  freeBytes: () => Promise<number>;
  /** Undefined while the destination is away or takes no part in hand-offs, with why. */
  handOff: () => Omit<HandOffOptions, "isGone" | "clock" | "log" | "nameOf"> | string;
  isGone: (id: string) => boolean;
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
  clock: Clock;
  log: Logger;
  on: {
    outcome: (outcome: GroupOutcome["outcome"], torrents: number) => void;
    freed: (bytes: number) => void;
  };
};

/** Groups that are handed over at the same time. */
const atOnce = 4;

/** What could not be handed over is left alone for so long. */
const holdMs = 600_000;

/** So long qBittorrent's list may take to show that something was removed. */
const listsLateMs = 600_000;

/** A drain gives up on a side that cannot be reached for so long, and at the second time at once. */
const unreachableMs = 30_000;

/** Decides which torrents are handed over, for space or for a drain, and sees that what was begun comes to its end. */
export class CleanUp {
  readonly #options: CleanUpOptions;
  readonly #space: FreeSpace;
  readonly #holds = new Map<string, { why: string; until: number }>();
  /** Hand-offs with this source that the destination remembers as under way. */
  readonly #remembered = new Set<string>();
  readonly #underWay = new Set<string>();
  /** When torrents were handed off by this process; qBittorrent's list may show that only later. */
  readonly #gone = new Map<string, number>();
  /** What came of the last hand-off of each that was not handed off. */
  readonly #troubles = new Map<string, string>();
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
    this.#space = new FreeSpace({ minBytes: options.minSpaceBytes, apartMs: options.apartMs });
  }

  get underWayCount(): number {
    return this.#underWay.size;
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
    const removedAt = this.#gone.get(id) ?? Number.NEGATIVE_INFINITY;
    const isOurs = this.#options.clock.monotonic() - removedAt < listsLateMs;
    return isOurs || this.#underWay.has(id) || this.#remembered.has(id);
  }

  /** What is going to happen with a torrent, and why it stays, by the last look: the clean-up's part of `GET /plan`. */
  planOf(id: string): CleanupReport {
    if (this.#underWay.has(id)) return { plan: "handing over", why: "" };
    if (this.#next.has(id)) return { plan: "hand over", why: "it is next" };
    return { plan: "stay", why: this.#reasons.get(id) ?? "it was not looked at yet" };
  }

  /** The destination told what it has. */
  connected(states: readonly TorrentState[]): void {
    for (const { torrentId, handOff } of states)
      if (isUnderWay(handOff) && handOff?.sourceName === this.#options.sourceName)
        this.#remembered.add(torrentId);
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
      return await this.#alone(() => this.#drain(limits));
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

  async #drain({ deadline, mayBegin, wasDrained }: DrainLimits): Promise<DrainOutcome> {
    const { clock, log, dryRun } = this.#options;
    const total = { handedOff: 0, freedBytes: 0, tried: new Set<string>() };
    const startedAt = clock.monotonic();
    let failingSince: number | undefined;
    let trouble = "";
    while (!deadline.aborted) {
      try {
        const why = this.#whyNothing();
        if (why !== undefined) throw new Error(why);
        await this.#resume(deadline);
        const { groups } = await this.#plan({ kind: "drain" }, deadline);
        failingSince = undefined;
        const next = groups.filter(({ ids }) => ids.some((id) => !total.tried.has(id)));
        if (next.length === 0 || dryRun || !mayBegin()) {
          if (dryRun) this.#sayDryly(groups, "drain");
          break;
        }
        for (const { ids } of next) for (const id of ids) total.tried.add(id);
        const bytes = next.reduce((sum, { freesBytes }) => sum + freesBytes, 0);
        log.info(`drain: to be handed over: ${countOfTorrents(countOf(next))}, ${gigabytes(bytes)}`);
        await this.#handOver(next, deadline, total);
      } catch (error) {
        if (deadline.aborted) break;
        trouble = messageWithCauses(error);
        failingSince ??= clock.monotonic();
        const isTooLong = clock.monotonic() - failingSince >= (wasDrained ? 0 : unreachableMs);
        // A list that has to settle first does so by itself.
        if (isTooLong && this.#options.listedForMs() >= this.#options.settleMs) break;
        log.debug(`drain: waits: ${trouble}`);
        await clock.sleep(500, deadline).catch(() => {});
      }
    }
    const seconds = Math.round((clock.monotonic() - startedAt) / 1000);
    const late = deadline.aborted ? [`--drain-timeout after ${seconds} s`] : [];
    const reason = [...late, trouble].filter((words) => words !== "").join(": ");
    return { handedOff: total.handedOff, freedBytes: total.freedBytes, left: this.#left(reason) };
  }

  #left(trouble: string): DrainOutcome["left"] {
    const left = [];
    for (const { id, torrent, goneSince } of this.#options.torrents.values())
      if (goneSince === undefined && !this.#gone.has(id))
        left.push({ name: torrent.name, why: this.#whyLeft(id, trouble) });
    return left;
  }

  /** What was tried is chosen again by the last look of a drain, which only it knows to be the last. */
  #whyLeft(id: string, trouble: string): string {
    const why = this.#reasons.get(id) ?? this.#troubles.get(id) ?? trouble;
    return why === "" ? "it was not looked at" : why;
  }

  /** What was begun before, by this process or an earlier one. */
  async #resume(signal: AbortSignal): Promise<void> {
    const { torrents, dryRun } = this.#options;
    const marked = [...torrents.values()].filter(
      ({ torrent, goneSince }) => goneSince === undefined && markOf(torrent) !== "none",
    );
    for (const { id } of marked) this.#remembered.add(id);
    if (this.#remembered.size === 0 || dryRun || typeof this.#options.handOff() === "string") return;
    const begun = (await this.#groups(signal)).filter(({ ids }) =>
      ids.some((id) => this.#remembered.has(id)),
    );
    const listed = new Set(begun.flatMap(({ ids }) => ids));
    const unlisted = [...this.#remembered].filter((id) => !listed.has(id));
    const groups = [...begun, ...unlisted.map((id) => ({ ids: [id], freesBytes: 0 }))];
    await this.#runAll(groups, { isWanted: false }, signal);
  }

  async #handOver(
    groups: readonly CleanupGroup[],
    signal: AbortSignal,
    total?: { handedOff: number; freedBytes: number },
  ): Promise<void> {
    if (this.#options.dryRun) return this.#sayDryly(groups, "free space");
    await this.#runAll(groups, { isWanted: true, ...(total && { total, of: countOf(groups) }) }, signal);
    this.#space.reset();
  }

  async #runAll(
    groups: readonly CleanupGroup[],
    how: { isWanted: boolean; total?: { handedOff: number; freedBytes: number }; of?: number },
    signal: AbortSignal,
  ): Promise<void> {
    await inParallel(groups, atOnce, async (group) => {
      if (
        how.isWanted &&
        (this.#isEnding || !this.#mayBegin() || signal.aborted || !this.#isStillWanted(group))
      )
        return;
      for (const id of group.ids) this.#underWay.add(id);
      try {
        await this.#run(group, how, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        const why = `a hand-off waits: ${messageWithCauses(error)}`;
        this.#options.log.warn(why);
        for (const id of group.ids) {
          this.#remembered.add(id);
          this.#troubles.set(id, why);
        }
      } finally {
        for (const id of group.ids) this.#underWay.delete(id);
      }
    });
  }

  /** A torrent may have been tagged, or changed, while others were handed over. */
  #isStillWanted({ ids }: CleanupGroup): boolean {
    const purpose: CleanupPurpose = { kind: "drain" };
    const torrents = this.#torrents(new Map()).filter(({ id }) => ids.includes(id));
    return planCleanup(torrents, [{ ids, freesBytes: 1 }], purpose).chosen.length > 0;
  }

  async #run(
    group: CleanupGroup,
    how: { isWanted: boolean; total?: { handedOff: number; freedBytes: number }; of?: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, log, isGone, on } = this.#options;
    const parts = this.#options.handOff();
    if (typeof parts === "string") throw new Error(parts);
    const nameOf = (id: string) => this.#options.torrents.get(id)?.torrent.name ?? id;
    const names = group.ids.map(nameOf).join(", ");
    if (how.isWanted)
      log.info({ torrents: group.ids }, `handing over ${names}, ${gigabytes(group.freesBytes)}`);
    const handOff = new HandOff(group.ids, how, { ...parts, isGone, clock, log, nameOf });
    const { outcome, why } = await handOff.run(signal);
    on.outcome(outcome, group.ids.length);
    if (outcome === "waiting") return;
    for (const id of group.ids) this.#remembered.delete(id);
    if (outcome === "handed off") {
      for (const id of group.ids) this.#gone.set(id, clock.monotonic());
      on.freed(group.freesBytes);
      if (how.total) {
        how.total.handedOff += group.ids.length;
        how.total.freedBytes += group.freesBytes;
      }
      const progress =
        how.total && how.of
          ? ` (${how.total.handedOff} of ${how.of}, ${gigabytes(how.total.freedBytes)})`
          : "";
      log.info({ torrents: group.ids }, `${names} seeds at the destination and is removed here${progress}`);
      return;
    }
    for (const id of group.ids) {
      const trouble = `it was not handed over: ${why}`;
      this.#holds.set(id, { why: trouble, until: clock.monotonic() + holdMs });
      this.#reasons.set(id, trouble);
      this.#troubles.set(id, trouble);
    }
    if (how.isWanted) log.warn({ torrents: group.ids }, `${names} stays: ${why}`);
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
    const { torrents, tags, clock } = this.#options;
    return candidatesOf(torrents.values(), { tags, contents, holds: this.#holds, now: clock.monotonic() });
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

const countOf = (groups: readonly CleanupGroup[]): number =>
  groups.reduce((count, { ids }) => count + ids.length, 0);
