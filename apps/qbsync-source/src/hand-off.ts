import {
  HandOffRecord_Step as Step,
  idOfReturn,
  isStill,
  isUnderWay,
  type SeedingResponse,
  type SeedingState,
  stateFromTheWire,
} from "@qbit-sidecars/qbsync-protocol";
import type { Clock, Logger } from "@qbit-sidecars/service";
import type { SourceRemoved } from "./destination.ts";
import { type HandOffStep, type Here, planGroup, type There, type View } from "./plan-hand-off.ts";

/** The source's qBittorrent as this file needs it; every call is answered when qBittorrent has taken it. */
export type HereSide = {
  /** As they are now; those that qBittorrent does not list are left out. */
  look(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Here & { kind: "present" }>>;
  mark(id: string, mark: "ran" | "was stopped", signal: AbortSignal): Promise<void>;
  unmark(id: string, signal: AbortSignal): Promise<void>;
  stop(id: string, signal: AbortSignal): Promise<void>;
  start(id: string, signal: AbortSignal): Promise<void>;
  /** With their files, all at once: some may share them. */
  remove(ids: readonly string[], signal: AbortSignal): Promise<void>;
};

/** The destination as this file needs it. */
export type ThereSide = {
  lookAtSeeding(id: string): Promise<SeedingResponse>;
  beginHandOff(id: string, handOffId: string, sourceName: string): Promise<SeedingResponse>;
  startSeeding(id: string, handOffId: string): Promise<SeedingResponse>;
  stopSeeding(id: string, handOffId: string): Promise<SeedingResponse>;
  sourceRemoved(id: string, about: SourceRemoved): Promise<SeedingResponse>;
};

/** How a group's hand-off ended, and why it was not handed off. */
export type GroupOutcome = {
  /** `waiting`: for something that neither side can bring about; the next run goes on there. */
  outcome: "handed off" | "taken back" | "not begun" | "waiting";
  why: string;
};

export type HandOffOptions = {
  here: HereSide;
  there: ThereSide;
  sourceName: string;
  /** Put on at the destination once the source has removed it. */
  tags: readonly string[];
  /** Whether a torrent that qBittorrent does not list was removed, rather than not loaded yet. */
  isGone: (id: string) => boolean;
  newId: () => string;
  clock: Clock;
  log: Logger;
  /** How often both sides are looked at while one waits for the other. */
  pollMs: number;
  /** What does not change for so long is taken back. */
  stuckAfterMs: number;
  /** What the destination's qBittorrent has not listed for so long is not there. */
  goneAfterMs: number;
  /** For logs: the name of a torrent. */
  nameOf?: (id: string) => string;
};

/** Brings one group of torrents that share files to the end of its hand-off, whatever state it is found in. */
export class HandOff {
  readonly #options: HandOffOptions;
  readonly #ids: readonly string[];
  #isWanted: boolean;
  #isTakenBack = false;
  readonly #removed = new Set<string>();
  /** What each was like when it last changed, and when that was. */
  readonly #since = new Map<string, { look: string; at: number }>();
  /** Since when the destination's qBittorrent has not listed it. */
  readonly #absentSince = new Map<string, number>();
  #why = "";

  /** @param how `isWanted`: hand it over; otherwise only bring to an end what was begun */
  constructor(ids: readonly string[], how: { isWanted: boolean }, options: HandOffOptions) {
    this.#ids = ids;
    this.#isWanted = how.isWanted;
    this.#options = options;
  }

  /**
   * Looks, decides, acts, until there is nothing to do.
   *
   * @throws whatever a side throws; what was begun stays marked, and the next run goes on there
   */
  async run(signal: AbortSignal): Promise<GroupOutcome> {
    for (;;) {
      signal.throwIfAborted();
      const views = await this.#look(signal);
      const steps = planGroup(views, { isWanted: this.#isWanted });
      if (steps.every((step) => step.act === "done")) return this.#outcome(steps);
      const waiting = steps.find((step) => step.act === "wait");
      const isAtRest = steps.every((step) => step.act === "wait" || step.act === "done");
      if (
        waiting !== undefined &&
        isAtRest &&
        views.some(({ here, isStuck }) => isStuck && here.kind === "absent")
      )
        return { outcome: "waiting", why: waiting.why };
      const acted = await this.#do(steps, views, signal);
      if (!acted) await this.#options.clock.sleep(this.#options.pollMs, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<View[]> {
    // The destination first: what is seen here is newer, so that "stopped here" holds when it is started there.
    const there = await Promise.all(this.#ids.map((id) => this.#lookThere(id)));
    const here = await this.#options.here.look(this.#ids, signal);
    return this.#ids.map((id, index) => {
      const isGone = this.#removed.has(id) || this.#options.isGone(id);
      const view = { here: here.get(id) ?? { kind: "absent" as const, isGone }, there: there[index]! };
      return { ...view, isStuck: this.#isStuck(id, view) };
    });
  }

  async #lookThere(id: string): Promise<There> {
    const answer = await this.#options.there.lookAtSeeding(id);
    const { handOff: record, detail } = answer;
    const isOwn = record?.sourceName === this.#options.sourceName;
    const state = stateFromTheWire(answer);
    return {
      state,
      isStill: isStill(answer) || this.#isMissedForLong(id, state, record?.step),
      ...(isOwn && { record }),
      detail: isUnderWay(record) && !isOwn ? `it is being handed over by ${record?.sourceName}` : detail,
    };
  }

  /** Not listed there: it was not started, or has been away for so long that it was not just a restart. */
  #isMissedForLong(id: string, state: SeedingState, step: Step | undefined): boolean {
    if (state !== "absent") this.#absentSince.delete(id);
    if (state !== "absent") return false;
    if (step === Step.BEGUN) return true;
    const now = this.#options.clock.monotonic();
    const since = this.#absentSince.get(id) ?? now;
    this.#absentSince.set(id, since);
    return now - since >= this.#options.goneAfterMs;
  }

  #isStuck(id: string, view: Pick<View, "here" | "there">): boolean {
    const { clock, stuckAfterMs } = this.#options;
    const look = JSON.stringify(view);
    const last = this.#since.get(id);
    const now = clock.monotonic();
    if (last?.look !== look) this.#since.set(id, { look, at: now });
    return last?.look === look && now - last.at >= stuckAfterMs;
  }

  /** @returns whether something was done, so that it is worth to look again at once */
  async #do(steps: readonly HandOffStep[], views: readonly View[], signal: AbortSignal): Promise<boolean> {
    const removing = this.#ids.filter((_, index) => steps[index]?.act === "remove");
    if (removing.length > 0) await this.#remove(removing, signal);
    let isNews = removing.length > 0;
    for (const [index, id] of this.#ids.entries()) {
      const step = steps[index];
      const view = views[index];
      if (step === undefined || view === undefined) continue;
      isNews = (await this.#act(step, { id, view }, signal)) || isNews;
    }
    return isNews;
  }

  async #remove(ids: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#options.here.remove(ids, signal);
    for (const id of ids) this.#removed.add(id);
  }

  async #act(step: HandOffStep, { id, view }: { id: string; view: View }, signal: AbortSignal) {
    const { here, there, newId, sourceName, tags, log, nameOf = () => id } = this.#options;
    const handOffId = view.there.record?.id ?? "";
    log.debug({ torrent: id, step }, `hand-off of ${nameOf(id)}: ${step.act}`);
    switch (step.act) {
      case "begin": {
        const { handOff, detail } = await there.beginHandOff(id, newId(), sourceName);
        const isBegun = handOff?.step === Step.BEGUN && handOff.sourceName === sourceName;
        if (!isBegun) this.#giveUp(`the destination does not take it over: ${detail}`);
        return true;
      }
      case "mark":
        await here.mark(id, isStoppedHere(view) ? "was stopped" : "ran", signal);
        return false;
      case "stop":
        await here.stop(id, signal);
        return false;
      case "start there":
        return (await there.startSeeding(id, handOffId)).handOff?.step === Step.SEEDING;
      case "tell removed":
        await there.sourceRemoved(id, { handOffId, sourceName, tags });
        return true;
      case "take back":
        if (!this.#isTakenBack && step.why !== "")
          log.warn({ torrent: id }, `${nameOf(id)} goes on seeding here: ${step.why}`);
        this.#giveUp(step.why);
        this.#isTakenBack = true;
        return isStill(await there.stopSeeding(id, this.#stopId(view.there)));
      case "start here":
        await here.start(id, signal);
        return false;
      case "unmark":
        await here.unmark(id, signal);
        this.#giveUp("");
        this.#isTakenBack = true;
        return false;
      case "remove":
      case "wait":
      case "done":
        return false;
      default:
        return step satisfies never;
    }
  }

  #stopId({ record }: There): string {
    if (record === undefined) return this.#options.newId();
    return record.step === Step.REMOVED ? idOfReturn(record) : record.id;
  }

  /** What was taken back once is not begun again by the same run. */
  #giveUp(why: string): void {
    this.#isWanted = false;
    if (this.#why === "") this.#why = why;
  }

  #outcome(steps: readonly HandOffStep[]): GroupOutcome {
    const outcomes = steps.flatMap((step) => (step.act === "done" ? [step] : []));
    const why = this.#why || (outcomes.find((step) => step.why !== undefined)?.why ?? "");
    if (outcomes.some(({ outcome }) => outcome === "handed off")) return { outcome: "handed off", why: "" };
    return { outcome: this.#isTakenBack ? "taken back" : "not begun", why };
  }
}

const isStoppedHere = ({ here }: View): boolean => here.kind === "present" && here.activity === "stopped";
