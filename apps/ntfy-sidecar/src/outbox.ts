/** What a notice is about. */
export type NoticeKind =
  | "progress"
  | "complete"
  | "added"
  | "stalled"
  | "error"
  | "removed"
  | "disk"
  | "clear";

/** One request to ntfy that is still to be made. `clear` takes a card off the phone. */
export type Notice = {
  kind: NoticeKind;
  topic: string;
  /** Names the card: what is published under the same one replaces it, so that a repeated request shows once. */
  sequence: string;
  title?: string;
  message?: string;
  tags?: readonly string[];
  /** 1 to 5. */
  priority?: number;
  click?: string;
  /** The server refused it as it was: only title and text are left of it. */
  plain?: true;
};

/** What must arrive first. Clearing comes after what it makes room for, progress when nothing else is left. */
const urgency: Readonly<Record<NoticeKind, number>> = {
  complete: 0,
  error: 0,
  disk: 0,
  stalled: 0,
  added: 1,
  removed: 1,
  clear: 2,
  progress: 3,
};

export const noticeKinds: readonly string[] = Object.keys(urgency);

/**
 * Notices to be sent. Of each card only the newest waits: a late "25 %" is never told after "50 %". Nothing leaves it
 * but by `settle`, so whoever keeps its list keeps what must not be lost.
 */
export class Outbox {
  #notices: Notice[];

  constructor(notices: readonly Notice[] = []) {
    this.#notices = [...notices];
  }

  get list(): readonly Notice[] {
    return this.#notices;
  }

  get size(): number {
    return this.#notices.length;
  }

  /** Puts a notice in, in the place of an older one about the same card. */
  add(notice: Notice): void {
    const same = (other: Notice) => other.sequence === notice.sequence && other.topic === notice.topic;
    this.#notices = [...this.#notices.filter((other) => !same(other)), notice];
  }

  /** The next one to be sent; `importantOnly` leaves progress waiting. */
  next({ importantOnly = false }: { importantOnly?: boolean } = {}): Notice | undefined {
    return this.#notices
      .filter(({ kind }) => !importantOnly || kind !== "progress")
      .reduce<Notice | undefined>(
        (first, notice) =>
          first === undefined || urgency[notice.kind] < urgency[first.kind] ? notice : first,
        undefined,
      );
  }

  /** It arrived, or never will. A newer one for the same card stays. */
  settle(notice: Notice): void {
    this.#notices = this.#notices.filter((other) => other !== notice);
  }

  /** Puts another wording in the place of one that the server refused. */
  reword(notice: Notice, reworded: Notice): void {
    this.#notices = this.#notices.map((other) => (other === notice ? reworded : other));
  }
}
