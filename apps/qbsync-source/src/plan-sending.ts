/** A torrent with a piece that may be sent now. */
export type Candidate = {
  id: string;
  /** Downloading, or finished while we watched; everything else is backlog. */
  isLive: boolean;
  /** Bytes that the destination still needs of it. */
  leftBytes: number;
};

/** A stretch of bytes that several share: who has had least for its weight is next. */
class Shares<Key> {
  readonly #served = new Map<Key, number>();

  /** Somebody who was away is not owed what it did not ask for. */
  least(keys: readonly Key[]): Key | undefined {
    const known = keys.filter((key) => this.#served.has(key));
    const floor = known.length === 0 ? 0 : Math.min(...known.map((key) => this.#served.get(key) ?? 0));
    for (const key of this.#served.keys()) if (!keys.includes(key)) this.#served.delete(key);
    for (const key of keys) if (!this.#served.has(key)) this.#served.set(key, floor);
    let best: Key | undefined;
    for (const key of keys) if (best === undefined || this.#of(key) < this.#of(best)) best = key;
    return best;
  }

  charge(key: Key, amount: number): void {
    this.#served.set(key, this.#of(key) + amount);
  }

  #of(key: Key): number {
    return this.#served.get(key) ?? 0;
  }
}

type Lane = "live" | "backlog";
type Turn = "shortest" | "even";

/** Of three bytes, live torrents get two while there is backlog as well. */
const laneCost = { live: 1, backlog: 2 } as const;

/**
 * Decides whose piece is sent next. Live torrents come before backlog without starving it. Within each, every other
 * byte goes to the torrent that is nearest to its end, so that small ones do not wait behind large ones, and the rest
 * is shared evenly.
 */
export class SendPlanner {
  readonly #lanes = new Shares<Lane>();
  readonly #turns = { live: new Shares<Turn>(), backlog: new Shares<Turn>() };
  readonly #torrents = { live: new Shares<string>(), backlog: new Shares<string>() };

  /** @returns the torrent to send a piece of, charged with its bytes by `charge` */
  next(
    candidates: readonly Candidate[],
  ): { candidate: Candidate; charge: (bytes: number) => void } | undefined {
    const byLane = {
      live: candidates.filter(({ isLive }) => isLive),
      backlog: candidates.filter(({ isLive }) => !isLive),
    };
    const lanes = (["live", "backlog"] as const).filter((lane) => byLane[lane].length > 0);
    const lane = this.#lanes.least(lanes);
    if (lane === undefined) return undefined;
    const within = byLane[lane];
    const turn = this.#turns[lane].least(["shortest", "even"]) ?? "even";
    const evenly = this.#torrents[lane].least(within.map(({ id }) => id));
    const candidate =
      turn === "shortest"
        ? within.reduce((best, one) => (one.leftBytes < best.leftBytes ? one : best))
        : within.find(({ id }) => id === evenly);
    if (candidate === undefined) return undefined;
    return {
      candidate,
      charge: (bytes) => {
        this.#lanes.charge(lane, bytes * laneCost[lane]);
        this.#turns[lane].charge(turn, bytes);
        this.#torrents[lane].charge(candidate.id, bytes);
      },
    };
  }
}
