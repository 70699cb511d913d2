import { PieceAnswer_Outcome as Outcome } from "@qbit-sidecars/qbsync-protocol";

const remembered = 64;

/** How long the destination takes to answer for pieces, by the last few that it has written. */
export class AnswerLag {
  readonly #lastMs: number[] = [];

  /** @param sinceMs from the piece being taken up; undefined for one that is not known any more */
  hear(outcome: Outcome, sinceMs: number | undefined): void {
    if (outcome !== Outcome.WRITTEN || sinceMs === undefined) return;
    this.#lastMs.push(sinceMs);
    if (this.#lastMs.length > remembered) this.#lastMs.shift();
  }

  /** Milliseconds; undefined before the first answer. */
  get medianMs(): number | undefined {
    return this.#lastMs.toSorted((a, b) => a - b)[Math.floor(this.#lastMs.length / 2)];
  }
}
