import { newerFormat, type StateDir } from "@qbit-sidecars/service";
import { array, boolean, looseObject, number, optional, record, safeParse, string, unknown } from "zod/mini";
import type { Tracked } from "./follow-downloads.ts";
import { type Notice, Outbox } from "./outbox.ts";
import type { DayCount } from "./pace.ts";

/** Name of the ledger in STATE_DIR. */
export const ledgerName = "ledger.json";

/** Raised when an older ntfy-sidecar would misread what is written. */
const format = 1;

/** Beyond this many the oldest completions are covered by the watermark alone. */
const mostAnnounced = 1000;

/** A torrent that completed longer ago than this while nobody looked is no news. */
const newsForMs = 24 * 3_600_000;

/**
 * All that must not be forgotten, in one file that is replaced as a whole: which torrents are watched, what is still to
 * be sent, and which completions were told. Because what happened and the notice of it are written together, no crash
 * can tell a completion twice or not at all.
 */
export class Ledger {
  readonly #dir: StateDir;
  readonly tracked = new Map<string, Tracked>();
  readonly outbox: Outbox;
  today: DayCount | undefined;
  diskTold = false;
  /** Torrents that completed by then (seconds since the epoch, qBittorrent's clock) are told, or never will be. */
  #coveredUntil: number;
  /** Those told since, by id; the value is `completion_on`. */
  #announced: Map<string, number>;
  #dirty = false;
  #saving: Promise<void> | undefined;

  constructor(dir: StateDir, kept: Kept, nowMs: number) {
    this.#dir = dir;
    this.outbox = new Outbox(kept.outbox);
    for (const tracked of kept.tracked) this.tracked.set(tracked.ref, { ...tracked, movedAtMs: nowMs });
    this.today = kept.today;
    this.diskTold = kept.diskTold;
    this.#coveredUntil = Math.max(kept.coveredUntil, Math.floor((nowMs - newsForMs) / 1000));
    this.#announced = new Map(kept.announced);
  }

  /** Something changed that must be on the disk before the next request. */
  touch(): void {
    this.#dirty = true;
  }

  /** Whether a completion at this time is one nobody was told of. */
  isNews({ hash, completion_on }: { hash: string; completion_on: number }): boolean {
    return completion_on > this.#coveredUntil && this.#announced.get(hash) !== completion_on;
  }

  announce({ hash, completion_on }: { hash: string; completion_on: number }): void {
    this.#announced.set(hash, completion_on);
    if (this.#announced.size > mostAnnounced) {
      const [oldest] = [...this.#announced].toSorted(([, a], [, b]) => a - b);
      if (oldest !== undefined) {
        this.#announced.delete(oldest[0]);
        this.#coveredUntil = Math.max(this.#coveredUntil, oldest[1]);
      }
    }
    this.touch();
  }

  settle(notice: Notice, today: DayCount): void {
    this.outbox.settle(notice);
    this.today = today;
    this.touch();
  }

  /** Nothing that completed until now is news after the next start. */
  cover(nowMs: number): void {
    this.#coveredUntil = Math.floor(nowMs / 1000) - 1;
    this.#announced = new Map([...this.#announced].filter(([, at]) => at > this.#coveredUntil));
    this.touch();
  }

  /** Resolves when all that was changed before the call is on the disk, or cannot be kept. One write at a time. */
  readonly save = async (): Promise<void> => {
    while (this.#saving !== undefined) await this.#saving;
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#saving = this.#write();
    await this.#saving;
  };

  async #write(): Promise<void> {
    const isKept = await this.#dir.write(ledgerName, JSON.stringify(this.#content()));
    // The disk may take it the next time, although nothing will have changed by then.
    if (!isKept) this.#dirty = true;
    this.#saving = undefined;
  }

  #content(): Kept {
    return {
      version: format,
      coveredUntil: this.#coveredUntil,
      announced: [...this.#announced],
      tracked: [...this.tracked.values()],
      outbox: [...this.outbox.list],
      diskTold: this.diskTold,
      ...(this.today === undefined ? {} : { today: this.today }),
    };
  }
}

type Kept = {
  version: number;
  coveredUntil: number;
  announced: [string, number][];
  tracked: Tracked[];
  outbox: Notice[];
  diskTold: boolean;
  today?: DayCount;
};

type OpenOptions = {
  nowMs: number;
  /** The ledger that is there cannot be used; `keptAs` is its name from now on, undefined where it could not be renamed. */
  onUnusable: (why: string, keptAs: string | undefined) => void;
};

/**
 * Opens the ledger that is there, or a new one, which takes everything complete as told. One that is damaged or a newer
 * version's is set aside.
 */
export async function openLedger(dir: StateDir, { nowMs, onUnusable }: OpenOptions): Promise<Ledger> {
  const text = await dir.read(ledgerName);
  const fault = text === undefined ? undefined : ledgerFault(text);
  if (fault !== undefined) onUnusable(fault, await dir.setAside(ledgerName));
  const kept = text === undefined || fault !== undefined ? undefined : readKept(text);
  const empty: Kept = {
    version: format,
    coveredUntil: Math.floor(nowMs / 1000),
    announced: [],
    tracked: [],
    outbox: [],
    diskTold: false,
  };
  const ledger = new Ledger(dir, kept ?? empty, nowMs);
  if (kept !== undefined) return ledger;
  // At once: what completes from now on is news, also to the next process if this one is killed early.
  ledger.touch();
  await ledger.save();
  return ledger;
}

/** Why the text of a ledger cannot be used; undefined where it can. */
export function ledgerFault(text: string): string | undefined {
  return newerFormat(text, format) ?? (readKept(text) === undefined ? "it is damaged" : undefined);
}

function readKept(text: string): Kept | undefined {
  try {
    const parsed = safeParse(keptSchema(), JSON.parse(text));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked as deep as a damaged file can matter
    return parsed.success ? (parsed.data as unknown as Kept) : undefined;
  } catch {
    return undefined;
  }
}

const keptSchema = () =>
  looseObject({
    version: number(),
    coveredUntil: number(),
    announced: array(array(unknown())),
    tracked: array(looseObject({ ref: string(), incomplete: boolean(), cardAtMs: number() })),
    outbox: array(looseObject({ kind: string(), topic: string(), sequence: string() })),
    diskTold: boolean(),
    today: optional(record(string(), unknown())),
  });
