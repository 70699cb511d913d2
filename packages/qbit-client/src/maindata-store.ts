import type { CallOptions } from "./call.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Maindata, MaindataRest, type ServerState } from "./maindata.ts";
import { SingleFlight } from "./single-flight.ts";
import type { Category } from "./torrent-parts.ts";
import { torrentState } from "./torrent-state.ts";
import type { Torrent } from "./torrent.ts";

/** What one poll found, compared with what the store held before: the same after a full answer as after a delta. */
export interface MaindataChange {
  /** qBittorrent sent everything (first poll, new session): nothing was missed all the same. */
  full: boolean;
  added: Torrent[];
  /** As they were last seen. */
  removed: Torrent[];
  /** `before` holds the former values of the fields that changed. */
  changed: { torrent: Torrent; before: Partial<Torrent> }[];
}

/** `client.sync`, or whatever answers like it. */
export interface MaindataSource {
  readonly session: number;
  maindata(rid: number, options: CallOptions): Promise<Maindata>;
}

/**
 * All of qBittorrent's state, kept current by small deltas. One store per client: qBittorrent remembers only the
 * last answers of a session, so two would force each other into full answers.
 *
 * A lost answer loses nothing, nor does a new login: the next answer is full, and compared with what is here.
 */
export class MaindataStore {
  readonly #source: MaindataSource;
  readonly #clock: Clock;
  readonly #polling = new SingleFlight<MaindataChange>();
  readonly #torrents = new Map<string, Torrent>();
  readonly #rest = new MaindataRest();
  #rid = 0;
  #session: number | undefined;
  #updatedAt: number | undefined;
  #lastWasFull = false;
  #idlePolls = 0;

  constructor(source: MaindataSource, options: { clock?: Clock } = {}) {
    this.#source = source;
    this.#clock = options.clock ?? systemClock;
  }

  /** Torrents by id. The objects are the store's own: later polls change them in place. */
  get torrents(): ReadonlyMap<string, Torrent> {
    return this.#torrents;
  }

  get categories(): ReadonlyMap<string, Partial<Category>> {
    return this.#rest.categories;
  }

  get tags(): ReadonlySet<string> {
    return this.#rest.tags;
  }

  /** Ids of torrents by tracker URL; 4.4+. */
  get trackers(): ReadonlyMap<string, readonly string[]> {
    return this.#rest.trackers;
  }

  get serverState(): ServerState {
    return this.#rest.serverState;
  }

  /** Free space on the disk of the default save path; `null` while it is not known. */
  get freeSpaceBytes(): number | null {
    const { free_space_on_disk: bytes } = this.#rest.serverState;
    // The first answer of a session says 0 because qBittorrent has not looked yet.
    return bytes === undefined || (bytes === 0 && this.#lastWasFull) ? null : bytes;
  }

  /** Milliseconds since the last answer that arrived; `Infinity` before the first. */
  get ageMs(): number {
    return this.#updatedAt === undefined ? Infinity : this.#clock.monotonic() - this.#updatedAt;
  }

  /** When to poll next: at qBittorrent's own pace (1.5 s) while torrents change, slowing to 10 s while none does. */
  get nextPollMs(): number {
    const { refresh_interval: refreshMs = 1500 } = this.#rest.serverState;
    return Math.max(refreshMs, Math.min(refreshMs * 2 ** this.#idlePolls, 10_000));
  }

  /**
   * Asks for what has changed and takes it in. Polls at the same time are one poll. When it throws, the store is
   * as it was, and the next poll continues from there.
   */
  async poll(options: { signal?: AbortSignal } = {}): Promise<MaindataChange> {
    // The signal of the first caller must not end the poll of the others.
    return await this.#polling.run(async () => await this.#poll(), options.signal);
  }

  async #poll(): Promise<MaindataChange> {
    const rid = this.#rid;
    // Until an answer arrives: 4.6 to 5.1 (5.1.0 measured) leave out of the next delta what a lost one held.
    this.#rid = 0;
    const answer = await this.#source.maindata(rid, {});
    // Our `rid` may mean something to a new session as well (it counts from 1, and its first answer may have been
    // lost): such a delta has nothing to do with what is here.
    const usable =
      answer.full_update === true || (this.#session === this.#source.session && this.#fits(answer));
    return this.#take(usable ? answer : { ...(await this.#source.maindata(0, {})), full_update: true });
  }

  /** A delta fits if it changes only torrents that are known; a new torrent comes with all its fields. */
  #fits(delta: Maindata): boolean {
    return Object.entries(delta.torrents ?? {}).every(
      ([id, fields]) => this.#torrents.has(id) || isWhole(fields),
    );
  }

  #take(answer: Maindata): MaindataChange {
    const full = answer.full_update === true;
    const change: MaindataChange = { full, added: [], removed: [], changed: [] };
    if (full) this.#rest.clear();
    this.#rest.merge(answer);
    this.#remove(full ? this.#missingFrom(answer) : (answer.torrents_removed ?? []), change);
    for (const [id, fields] of Object.entries(answer.torrents ?? {}))
      this.#merge(id, { fields, full }, change);
    this.#rid = answer.rid;
    this.#session = this.#source.session;
    this.#updatedAt = this.#clock.monotonic();
    this.#lastWasFull = full;
    const changes = change.added.length + change.removed.length + change.changed.length;
    this.#idlePolls = changes === 0 ? this.#idlePolls + 1 : 0;
    return change;
  }

  #missingFrom({ torrents = {} }: Maindata): string[] {
    return [...this.#torrents.keys()].filter((id) => !Object.hasOwn(torrents, id));
  }

  #remove(ids: readonly string[], change: MaindataChange): void {
    for (const id of ids) {
      const torrent = this.#torrents.get(id);
      if (torrent !== undefined) change.removed.push(torrent);
      this.#torrents.delete(id);
    }
  }

  #merge(id: string, update: { fields: Partial<Torrent>; full: boolean }, change: MaindataChange): void {
    const { fields, full } = update;
    if (fields.state !== undefined) fields.state = torrentState(fields.state);
    const torrent = this.#torrents.get(id);
    if (torrent !== undefined) {
      const before = update.full
        ? replaceFields(torrent, { ...fields, hash: id })
        : assignFields(torrent, fields);
      if (Object.keys(before).length > 0) change.changed.push({ torrent, before });
    } else if (full || isWhole(fields)) {
      fields.hash = id;
      if (!isWhole(fields)) return;
      this.#torrents.set(id, fields);
      change.added.push(fields);
    }
  }
}

function isWhole(fields: Partial<Torrent>): fields is Torrent {
  return fields.name !== undefined && fields.state !== undefined;
}

/** Assigns fields and returns the former values of those that differ. */
function assignFields(torrent: Torrent, fields: Partial<Torrent>): Partial<Torrent> {
  const before: Partial<Torrent> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (same(torrent[name], value)) continue;
    before[name] = torrent[name];
    torrent[name] = value;
  }
  return before;
}

function replaceFields(torrent: Torrent, fields: Partial<Torrent>): Partial<Torrent> {
  const before = assignFields(torrent, fields);
  for (const name of Object.keys(torrent)) {
    if (Object.hasOwn(fields, name)) continue;
    before[name] = torrent[name];
    delete torrent[name];
  }
  return before;
}

// Nearly every field is a plain value; the few lists (5.x) are short.
function same(a: unknown, b: unknown): boolean {
  return (
    a === b || (typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b))
  );
}
