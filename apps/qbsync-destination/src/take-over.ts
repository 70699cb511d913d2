import {
  decideHandOff,
  decideSeen,
  GrpcError,
  grpcStatus,
  type HandOffRecord,
  HandOffRecord_Step as Step,
  type HandOffRequest,
  SeedingResponse,
  type SeedingState,
  stateOnTheWire,
} from "@qbit-sidecars/qbsync-protocol";
import { isComplete, type TorrentState } from "@qbit-sidecars/qbit-client";
import type { Clock, Logger } from "@qbit-sidecars/service";
import type { HandOffFiles, SavedHandOff } from "./hand-off-files.ts";
import { OneAfterAnother } from "./one-after-another.ts";

/** A torrent as the destination's qBittorrent shows it. */
export type SeenTorrent = {
  name: string;
  state: TorrentState;
  progress: number;
  tags: readonly string[];
  /** Why its files are not all on the disk, where that was looked at. */
  missing?: string;
};

/** The destination's qBittorrent, as this file needs it. */
export type TakenOverBy = {
  see(id: string, signal: AbortSignal): Promise<SeenTorrent | undefined>;
  start(id: string, signal: AbortSignal): Promise<void>;
  stop(id: string, signal: AbortSignal): Promise<void>;
  addTags(id: string, tags: readonly string[], signal: AbortSignal): Promise<void>;
};

export type TakeOverOptions = {
  files: Pick<HandOffFiles, "read" | "save">;
  qbittorrent: TakenOverBy;
  /** Whether a torrent is finished here: nothing else is handed over. */
  isFinished: (id: string) => boolean;
  /** Why the files of a torrent that qBittorrent calls complete are not all on the disk; undefined when they are. */
  whyNotOnDisk: (id: string, signal: AbortSignal) => Promise<string | undefined>;
  log: Logger;
  clock: Pick<Clock, "monotonic">;
  signal: AbortSignal;
  onStep?: (step: Step) => void;
};

type Asked = HandOffRequest & { tags: readonly string[] };

/** A qBittorrent that was restarted has loaded all it has after so long. */
const goneAfterMs = 600_000;

/** Of what a source says. */
const limits = { idBytes: 200, nameBytes: 200, tags: 20, tagBytes: 200 };

/**
 * The destination's side of hand-offs. What is decided is on the disk before qBittorrent is told, and one request for
 * a torrent is answered after the other, so it does not matter where a `kill -9` falls: the source asks again.
 */
export class TakeOver {
  readonly #options: TakeOverOptions;
  /** The records that were read or written since the start. */
  readonly #known = new Map<string, SavedHandOff | undefined>();
  /** Since when qBittorrent has not listed what is to be started (monotonic). */
  readonly #absentSince = new Map<string, number>();
  /** By torrent. */
  readonly #tasks = new OneAfterAnother();

  constructor(options: TakeOverOptions) {
    this.#options = options;
  }

  /** Takes over what earlier lives left. */
  async load(ids: Iterable<string>): Promise<void> {
    for (const id of ids) {
      try {
        await this.#saved(id);
      } catch (error) {
        this.#options.log.error(
          { err: error, torrent: id },
          `the record of the hand-off of ${id} cannot be read`,
        );
      }
    }
  }

  /** The record of a torrent's last hand-off, as far as one was read or written since the start. */
  record(id: string): HandOffRecord | undefined {
    return this.#known.get(id)?.record;
  }

  look(torrentId: string): Promise<SeedingResponse> {
    return this.#tasks.run(torrentId, async () => {
      const seen = await this.#lookAt(torrentId);
      const saved = this.#options.isFinished(torrentId) ? await this.#saved(torrentId) : undefined;
      return answer(saved?.record, seen);
    });
  }

  /**
   * Begins, starts, stops or ends a hand-off.
   *
   * @throws GrpcError for a torrent that is not finished here, or names that are none
   */
  async ask(torrentId: string, request: Asked): Promise<SeedingResponse> {
    checkRequest(request);
    return await this.#tasks.run(torrentId, async () => {
      if (!this.#options.isFinished(torrentId)) return await this.#askUnfinished(torrentId, request);
      const saved = await this.#saved(torrentId);
      // What a source gives up counts on these files; one that has nothing left to give up has it seeded anyway.
      const look = (): Promise<SeenTorrent | undefined> =>
        request.kind === "begin" || request.kind === "start" ? this.#lookAt(torrentId) : this.#see(torrentId);
      const decision = decideHandOff(saved?.record, request, seedingState(await look()));
      if (decision.record !== undefined) {
        const isRemoved = decision.record.step === Step.REMOVED;
        const tags = isRemoved ? [...new Set([...(saved?.tags ?? []), ...request.tags])] : [];
        await this.#save(torrentId, { record: decision.record, tags, isSettled: !isRemoved });
      }
      const { qbittorrent, signal } = this.#options;
      if (decision.act === "start") await qbittorrent.start(torrentId, signal);
      if (decision.act === "stop") await qbittorrent.stop(torrentId, signal);
      const seen = await look();
      const record = this.record(torrentId);
      const confirmed = request.kind === "start" ? decideSeen(record, seedingState(seen)) : undefined;
      if (confirmed !== undefined)
        await this.#save(torrentId, { record: confirmed, tags: [], isSettled: true });
      return answer(this.record(torrentId), seen);
    });
  }

  /** Starts and tags what a source has removed, until qBittorrent shows that it was done. */
  async settle(): Promise<{ waiting: number }> {
    let waiting = 0;
    for (const [id, saved] of this.#known)
      if (saved?.isSettled === false && !(await this.#tasks.run(id, () => this.#settle(id)))) waiting += 1;
    return { waiting };
  }

  async #settle(id: string): Promise<boolean> {
    const saved = await this.#saved(id);
    if (saved === undefined || saved.isSettled) return true;
    const { qbittorrent, signal, log } = this.#options;
    const seen = await this.#see(id);
    if (seen === undefined) return await this.#settleAbsent(id, saved);
    this.#absentSince.delete(id);
    const state = seedingState(seen);
    if (state === "stopped") await qbittorrent.start(id, signal);
    const missing = saved.tags.filter((tag) => !seen.tags.includes(tag));
    if (missing.length > 0) await qbittorrent.addTags(id, missing, signal);
    if (state !== "seeding" || missing.length > 0) return false;
    await this.#save(id, { ...saved, isSettled: true });
    log.info({ torrent: id }, `${seen.name} seeds here alone now: the source has removed it`);
    return true;
  }

  /** A person has deleted it here as well, or qBittorrent has not loaded it yet. */
  async #settleAbsent(id: string, saved: SavedHandOff): Promise<boolean> {
    const { clock, log } = this.#options;
    const now = clock.monotonic();
    const since = this.#absentSince.get(id) ?? now;
    this.#absentSince.set(id, since);
    if (now - since < goneAfterMs) return false;
    await this.#save(id, { ...saved, isSettled: true });
    this.#absentSince.delete(id);
    log.warn(
      { torrent: id },
      `the source has removed ${id}, and qBittorrent here does not have it: nobody seeds it`,
    );
    return true;
  }

  /** Nothing that is unfinished is ever started by a hand-off, so stopping it needs no record. */
  async #askUnfinished(id: string, { kind }: Asked): Promise<SeedingResponse> {
    if (kind !== "stop")
      throw new GrpcError(grpcStatus.FAILED_PRECONDITION, "it is not finished at the destination");
    await this.#options.qbittorrent.stop(id, this.#options.signal);
    return answer(undefined, await this.#see(id));
  }

  async #see(id: string): Promise<SeenTorrent | undefined> {
    return await this.#options.qbittorrent.see(id, this.#options.signal);
  }

  /** As {@link #see}, and whether what qBittorrent calls complete is on the disk. */
  async #lookAt(id: string): Promise<SeenTorrent | undefined> {
    const seen = await this.#see(id);
    if (seen === undefined || !wholeStates.has(seedingState(seen))) return seen;
    const missing = await this.#options.whyNotOnDisk(id, this.#options.signal);
    return missing === undefined ? seen : { ...seen, missing };
  }

  async #saved(id: string): Promise<SavedHandOff | undefined> {
    if (!this.#known.has(id)) this.#known.set(id, await this.#options.files.read(id));
    return this.#known.get(id);
  }

  async #save(id: string, saved: SavedHandOff): Promise<void> {
    await this.#options.files.save(id, saved);
    if (this.record(id)?.step !== saved.record.step) this.#options.onStep?.(saved.record.step);
    this.#known.set(id, saved);
  }
}

/** @throws GrpcError */
function checkRequest({ id, sourceName, tags, kind }: Asked): void {
  const isTooMuch =
    Buffer.byteLength(id) > limits.idBytes ||
    Buffer.byteLength(sourceName) > limits.nameBytes ||
    tags.length > limits.tags ||
    tags.some((tag) => Buffer.byteLength(tag) > limits.tagBytes || !/^[^,\p{Cc}]*[^,\s\p{Cc}]$/u.test(tag));
  if (isTooMuch || (id === "" && kind !== "removed"))
    throw new GrpcError(grpcStatus.INVALID_ARGUMENT, "no id of a hand-off, or no tags of qBittorrent");
}

const wholeStates: ReadonlySet<SeedingState> = new Set<SeedingState>(["stopped", "seeding"]);

/** What the hand-off makes of qBittorrent's words. `queuedUP` was started; when it runs is the queue's business. */
function seedingState(seen: SeenTorrent | undefined): SeedingState {
  if (seen === undefined) return "absent";
  if (["checkingUP", "checkingDL", "checkingResumeData", "moving", "allocating"].includes(seen.state))
    return "busy";
  if (!isComplete(seen.state) || seen.progress !== 1 || seen.missing !== undefined) return "incomplete";
  return seen.state === "stoppedUP" ? "stopped" : "seeding";
}

function answer(record: HandOffRecord | undefined, seen: SeenTorrent | undefined): SeedingResponse {
  const detail =
    seen === undefined
      ? "the destination's qBittorrent does not have it"
      : `the destination's qBittorrent says ${seen.state}, ${(seen.progress * 100).toFixed(1)} %${seen.missing === undefined ? "" : `, but ${seen.missing}`}`;
  return SeedingResponse.fromPartial({
    state: stateOnTheWire(seedingState(seen)),
    detail,
    qbittorrentState: seen?.state ?? "",
    ...(record !== undefined && { handOff: record }),
  });
}
