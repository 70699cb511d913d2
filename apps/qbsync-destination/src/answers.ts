import type { Answers, PieceAnswer, PieceAnswer_Outcome, TorrentPause } from "@qbit-sidecars/qbsync-protocol";

/** The writing half of a `Send` stream. */
export type AnswerSink = {
  write(answers: Answers): boolean;
  once(event: "drain", listener: () => void): unknown;
};

/** Answers on one stream. Those of one moment go in one message; a source that does not read them is waited for. */
export class AnswerQueue {
  readonly #sink: AnswerSink;
  #pieces = new Map<string, PieceAnswer>();
  #pauses: TorrentPause[] = [];
  #isScheduled = false;
  #isClosed = false;
  #blocked: PromiseWithResolvers<void> | undefined;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  add(
    torrentId: string,
    piece: number,
    { outcome, detail = "" }: { outcome: PieceAnswer_Outcome; detail?: string | undefined },
  ): void {
    if (this.#isClosed) return;
    const key = `${torrentId} ${outcome} ${detail}`;
    const answer = this.#pieces.get(key) ?? { torrentId, outcome, detail, pieces: [] };
    answer.pieces.push(piece);
    this.#pieces.set(key, answer);
    this.#schedule();
  }

  pause(pause: TorrentPause): void {
    if (this.#isClosed) return;
    this.#pauses.push(pause);
    this.#schedule();
  }

  /** Resolves when the source reads its answers; no piece is taken from it before. */
  async ready(): Promise<void> {
    await this.#blocked?.promise;
  }

  /** Sends what is left, and no more after that. */
  close(): void {
    this.#flush();
    this.#isClosed = true;
    this.#blocked?.resolve();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    if (this.#isClosed || this.#blocked !== undefined) return;
    if (this.#pieces.size === 0 && this.#pauses.length === 0) return;
    const answers = { pieces: [...this.#pieces.values()], pauses: this.#pauses };
    this.#pieces = new Map();
    this.#pauses = [];
    if (this.#sink.write(answers)) return;
    this.#blocked = Promise.withResolvers();
    this.#sink.once("drain", () => {
      this.#blocked?.resolve();
      this.#blocked = undefined;
      this.#flush();
    });
  }
}
