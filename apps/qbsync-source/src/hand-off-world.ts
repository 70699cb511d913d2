import {
  decideHandOff,
  decideSeen,
  type HandOffRecord,
  HandOffRecord_Step as Step,
  type HandOffRequest,
  isUnderWay,
  SeedingResponse,
  type SeedingState,
  stateOnTheWire,
} from "@qbit-sidecars/qbsync-protocol";
import type { Logger } from "@qbit-sidecars/service";
import { HandOff, type HereSide, type ThereSide } from "./hand-off.ts";
import type { Mark } from "./plan-hand-off.ts";

/** The process that ran the hand-off is dead, or an answer never came. */
export class Interrupted extends Error {}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the hand-off calls
const silent = { debug() {}, info() {}, warn() {} } as unknown as Logger;

type Side = { isPresent: boolean; isRunning: boolean };
type Source = Side & { mark: Mark; isExcluded: boolean };

/**
 * For tests: two qBittorrents and a destination, of which anything may fail at any time. Each decision is the next
 * number of the tape; where that ends, nothing goes wrong any more. After each change it is checked that nothing seeds
 * on both sides and that nothing is gone from both.
 */
export class HandOffWorld {
  readonly ids: readonly string[];
  readonly source = new Map<string, Source>();
  readonly home = new Map<string, Side>();
  readonly records = new Map<string, HandOffRecord>();
  readonly violations: string[] = [];
  readonly history: string[] = [];
  #tape: number[];
  #now = 0;
  #names = 0;
  /** Looks for which a qBittorrent that was restarted lists nothing. */
  #loading = { source: 0, home: 0 };
  /** A request had its effect after the process that sent it was dead, or asked for something else. */
  hadLateRequests = false;
  /** Requests that are still on their way although nobody waits for them any more. */
  readonly #late: (() => void)[] = [];

  constructor(
    tape: readonly number[],
    { torrents, stopped = false }: { torrents: number; stopped?: boolean },
  ) {
    this.#tape = [...tape];
    this.ids = Array.from({ length: torrents }, (_, index) => `torrent ${index}`);
    for (const id of this.ids) {
      this.source.set(id, { isPresent: true, isRunning: !stopped, mark: "none", isExcluded: false });
      this.home.set(id, { isPresent: true, isRunning: false });
    }
  }

  /** One life of the process: resolves to how it ended, or to undefined when it was cut short. */
  async live(how: { isWanted: boolean }): Promise<string | undefined> {
    const handOff = new HandOff(this.ids, how, {
      here: this.#here(),
      there: this.#there(),
      sourceName: "",
      tags: ["source-removed"],
      isGone: (id) => !this.source.get(id)!.isPresent,
      newId: () => `hand-off ${(this.#names += 1)}`,
      clock: {
        now: () => this.#now,
        monotonic: () => this.#now,
        sleep: async (ms: number) => {
          this.#now += ms;
        },
      },
      log: silent,
      pollMs: 500,
      stuckAfterMs: 20_000,
      goneAfterMs: 300_000,
    });
    try {
      return (await handOff.run(new AbortController().signal)).outcome;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      return undefined;
    }
  }

  /** Whether nothing of a hand-off is left, on either side. */
  get isAtRest(): boolean {
    return this.ids.every((id) => {
      const { isPresent, mark } = this.source.get(id)!;
      return !(isPresent && mark !== "none") && !isUnderWay(this.records.get(id));
    });
  }

  /** What the destination does by itself: what the source has removed is started, however long that takes. */
  settle(): void {
    for (const [id, { step }] of this.records)
      if (step === Step.REMOVED && this.#stateAtHome(id) === "stopped")
        this.#change(`settled ${id}`, () => (this.home.get(id)!.isRunning = true));
  }

  get #next(): number {
    return this.#tape.shift() ?? 99;
  }

  #change(what: string, change: () => void): void {
    change();
    this.history.push(what);
    for (const id of this.ids) {
      const [source, home] = [this.source.get(id)!, this.home.get(id)!];
      if (source.isPresent && source.isRunning && home.isPresent && home.isRunning)
        this.violations.push(`${id} seeds on both sides after: ${what}`);
      if (!source.isPresent && !home.isPresent) this.violations.push(`${id} is gone after: ${what}`);
    }
  }

  /** A request to the source's qBittorrent: before, or after it had its effect, this process may die. */
  #ask(what: string, effect: () => void): void {
    this.#disturb();
    const fault = this.#next;
    if (fault < 4) throw new Interrupted(`before ${what}`);
    // What it has not loaded yet it ignores.
    if (this.#loading.source === 0) this.#change(`here: ${what}`, effect);
    if (fault < 8) throw new Interrupted(`after ${what}`);
  }

  /** What happens by itself between two requests. */
  #disturb(): void {
    const event = this.#next;
    if (event < 5) this.#loading.source = 1 + (event % 3);
    else if (event < 10) this.#loading.home = 1 + (event % 3);
    else if (event < 14) this.#deliverLate(1);
    else if (event === 14) this.source.get(this.ids.at(-1)!)!.isExcluded = true;
    else if (event < 18) this.settle();
    else if (event === 18) this.#deliverLate(9);
  }

  #deliverLate(count: number): void {
    for (const late of this.#late.splice(0, count)) {
      this.hadLateRequests = true;
      late();
    }
  }

  #here(): HereSide {
    const of = (id: string): Source => this.source.get(id)!;
    const isListed = () => (this.#loading.source > 0 ? ((this.#loading.source -= 1), false) : true);
    return {
      look: async (ids) => {
        this.#disturb();
        if (!isListed()) return new Map();
        const listed = ids.filter((id) => of(id).isPresent);
        return new Map(
          listed.map((id) => {
            const { isRunning, mark, isExcluded } = of(id);
            const activity = isRunning ? ("running" as const) : ("stopped" as const);
            return [id, { kind: "present", activity, isComplete: true, mark, isExcluded }];
          }),
        );
      },
      mark: async (id, mark) => this.#ask(`mark ${id}`, () => (of(id).mark = mark)),
      unmark: async (id) => this.#ask(`unmark ${id}`, () => (of(id).mark = "none")),
      stop: async (id) => this.#ask(`stop ${id}`, () => (of(id).isRunning = false)),
      start: async (id) => this.#ask(`start ${id}`, () => (of(id).isRunning = true)),
      remove: async (ids) => {
        // qBittorrent may die in the middle of it.
        const some = this.#next < 10 ? ids.slice(0, 1) : ids;
        this.#ask(`remove ${some.join()}`, () => {
          for (const id of some) Object.assign(of(id), { isPresent: false, isRunning: false });
        });
        if (some.length < ids.length) throw new Interrupted("qBittorrent died");
      },
    };
  }

  #there(): ThereSide {
    const ask = (id: string, request: HandOffRequest) => this.#request(id, request);
    return {
      lookAtSeeding: async (id) => {
        this.#disturb();
        if (this.#next < 3) throw new Interrupted("no answer");
        return this.#answer(id);
      },
      beginHandOff: async (id, handOffId, sourceName) =>
        ask(id, { kind: "begin", id: handOffId, sourceName }),
      startSeeding: async (id, handOffId) => ask(id, { kind: "start", id: handOffId, sourceName: "" }),
      stopSeeding: async (id, handOffId) => ask(id, { kind: "stop", id: handOffId, sourceName: "" }),
      sourceRemoved: async (id, { handOffId, sourceName }) =>
        ask(id, { kind: "removed", id: handOffId, sourceName }),
    };
  }

  #request(id: string, request: HandOffRequest): SeedingResponse {
    this.#disturb();
    const fault = this.#next;
    if (fault < 4) throw new Interrupted("the request was lost");
    if (fault < 8) {
      this.#late.push(() => this.#serve(id, request));
      throw new Interrupted("the request is late");
    }
    // Twice: the network may do that as well.
    if (fault < 12) this.#late.push(() => this.#serve(id, request));
    this.#serve(id, request, fault < 16);
    if (fault < 20) throw new Interrupted("the answer was lost");
    return this.#answer(id);
  }

  /** As `TakeOver` of qbsync-destination does it; `isKilled`: it dies when the record is on the disk. */
  #serve(id: string, request: HandOffRequest, isKilled = false): void {
    const home = this.home.get(id)!;
    const state = this.#stateAtHome(id);
    const { record, act } = decideHandOff(this.records.get(id), request, state);
    this.#change(`there: ${request.kind} ${id} (${request.id})`, () => {
      if (record !== undefined) this.records.set(id, record);
      const isHeard = !isKilled && state !== "absent";
      if (act !== undefined && isHeard) home.isRunning = act === "start";
    });
    const confirmed = decideSeen(this.records.get(id), this.#stateAtHome(id));
    if (request.kind === "start" && confirmed !== undefined && !isKilled && this.#next > 30)
      this.records.set(id, confirmed);
  }

  #stateAtHome(id: string): SeedingState {
    const { isPresent, isRunning } = this.home.get(id)!;
    if (!isPresent || this.#loading.home > 0) {
      this.#loading.home = Math.max(0, this.#loading.home - 1);
      return "absent";
    }
    return isRunning ? "seeding" : "stopped";
  }

  #answer(id: string): SeedingResponse {
    const state = this.#stateAtHome(id);
    // A qBittorrent that has not loaded its torrents seeds nothing, and may a moment later.
    const record = this.records.get(id);
    return SeedingResponse.fromPartial({
      state: stateOnTheWire(state),
      detail: state,
      qbittorrentState: "",
      ...(record !== undefined && { handOff: record }),
    });
  }
}
