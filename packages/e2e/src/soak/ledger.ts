/** What is promised of one kind of event. */
export type Promised = "exactly once" | "at least once";

/** One line of the ledger's end. Times from being sent to being done. */
export type LedgerLine = {
  kind: string;
  promised: Promised;
  sent: number;
  done: number;
  lost: number;
  /** Done again after having been done. Allowed where no more than "at least once" is promised. */
  duplicated: number;
  p50Ms: number | undefined;
  maxMs: number | undefined;
};

type Entry = { sentAt: number; doneAt: number | undefined; count: number; times: number };
type Book = { promised: Promised; entries: Map<string, Entry>; closed: Closed };
/** What was closed long ago is only counted, so that a day's run fits into memory. */
type Closed = { sent: number; done: number; duplicated: number; waitedMs: number[] };

/** Longest list of waiting times kept for a median. */
const keptTimes = 10_000;

/** Accounts for events: what was sent must be done, and where it was promised, no more than once. Times are given. */
export class Ledger {
  readonly #books = new Map<string, Book>();

  /** @param promised for each kind of event that will be sent */
  constructor(promised: Readonly<Record<string, Promised>>) {
    for (const [kind, promise] of Object.entries(promised)) {
      const closed = { sent: 0, done: 0, duplicated: 0, waitedMs: [] };
      this.#books.set(kind, { promised: promise, entries: new Map(), closed });
    }
  }

  /** From now on somebody relies on it. `count`: how many alike it stands for, such as the pieces of a torrent. */
  sent(kind: string, id: string, { at, count = 1 }: { at: number; count?: number }): void {
    const { entries } = this.#book(kind);
    if (entries.has(id)) throw new Error(`${kind} ${id} was sent before`);
    entries.set(id, { sentAt: at, doneAt: undefined, count, times: 0 });
  }

  /** It was seen to be done; each further time is a duplicate. */
  done(kind: string, id: string, at: number): void {
    const entry = this.#book(kind).entries.get(id);
    if (entry === undefined) throw new Error(`${kind} ${id} was done and never sent`);
    entry.doneAt ??= at;
    entry.times += 1;
  }

  /** Nothing further is expected of it: what it came to is added up, and it is forgotten. Open ones stay. */
  close(kind: string, id: string): void {
    const { entries, closed } = this.#book(kind);
    const entry = entries.get(id);
    if (entry?.doneAt === undefined) return;
    entries.delete(id);
    addUp(closed, entry);
  }

  /** Sent and not done, as "kind id". */
  get open(): string[] {
    return Array.from(this.#books, ([kind, { entries }]) =>
      Array.from(entries)
        .filter(([, { doneAt }]) => doneAt === undefined)
        .map(([id]) => `${kind} ${id}`),
    ).flat();
  }

  /** The account: whatever is not done now is lost. */
  lines(): LedgerLine[] {
    return Array.from(this.#books, ([kind, { promised, entries, closed }]) => {
      const sums: Closed = { ...closed, waitedMs: [...closed.waitedMs] };
      for (const entry of entries.values()) addUp(sums, entry);
      const waited = sums.waitedMs.toSorted((a, b) => a - b);
      return {
        kind,
        promised,
        sent: sums.sent,
        done: sums.done,
        lost: sums.sent - sums.done,
        duplicated: sums.duplicated,
        p50Ms: waited[Math.floor(waited.length / 2)],
        maxMs: waited.at(-1),
      };
    });
  }

  #book(kind: string): Book {
    const book = this.#books.get(kind);
    if (book === undefined) throw new Error(`the ledger knows no ${kind}`);
    return book;
  }
}

/** Why the account is not right, one sentence for each fault; empty when it is. */
export function wrongIn(lines: readonly LedgerLine[]): string[] {
  return lines.flatMap(({ kind, promised, sent, lost, duplicated }) => [
    ...(sent === 0 ? [`no ${kind} was sent`] : []),
    ...(lost > 0 ? [`${kind}: ${lost} lost`] : []),
    ...(duplicated > 0 && promised === "exactly once" ? [`${kind}: ${duplicated} duplicated`] : []),
  ]);
}

function addUp(sums: Closed, { sentAt, doneAt, count, times }: Entry): void {
  sums.sent += count;
  if (doneAt === undefined) return;
  sums.done += count;
  sums.duplicated += (times - 1) * count;
  if (sums.waitedMs.length < keptTimes) sums.waitedMs.push(doneAt - sentAt);
}
