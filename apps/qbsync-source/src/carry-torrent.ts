import { QbitConflictError, QbitNotFoundError } from "@qbit-sidecars/qbit-client";
import {
  FinalizeResponse_Step as Step,
  Pause_Reason,
  Phase,
  type Refusal,
  Refusal_Reason as Reason,
  type TorrentDescription,
  type TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import { LayoutError } from "@qbit-sidecars/qbsync-protocol/layout";
import { type Clock, type Logger, messageWithCauses } from "@qbit-sidecars/service";
import { type Described, isAnother, selectedPieces } from "./describe-torrent.ts";
import type { Connection } from "./destination.ts";
import type { Action } from "./plan-sync.ts";
import type { Tags, TrackedTorrent } from "./tracked-torrent.ts";

/** What is asked of and done in qBittorrent for one torrent. */
export type Source = {
  /** @throws LayoutError, QbitNotFoundError, QbitConflictError */
  describe(
    tracked: TrackedTorrent,
    signal: AbortSignal,
  ): Promise<{ described: Described; folders: readonly string[] }>;
  addTag(id: string, tag: string, signal: AbortSignal): Promise<void>;
  removeTag(id: string, tag: string, signal: AbortSignal): Promise<void>;
};

/** The destination as this file needs it. */
export type Destination = Pick<Connection, "open" | "look" | "finalize" | "abort">;

export type CarryOptions = {
  torrents: Map<string, TrackedTorrent>;
  source: Source;
  /** Undefined while it is away. */
  destination: () => Destination | undefined;
  tags: Tags;
  dryRun: boolean;
  /** How often one torrent is looked at again although nothing was heard of it. */
  doubtEveryMs: number;
  clock: Clock;
  log: Logger;
  onPieces: () => void;
  /** A torrent that is complete at the destination is gone here. @throws DestinationError when it cannot be told now */
  onFinishedGone?: (tracked: TrackedTorrent) => Promise<void>;
  onOutcome?: (outcome: "synced" | "failed" | "aborted") => void;
};

/** How long something that did not work is left alone. */
const waitsMs = { notYet: 5000, refused: 60_000, checking: 250, finalizing: 500 };

/** Finalizing may fail so often before a person is asked. */
const mostFailedFinalizations = 3;

/** Carries one torrent at a time to its next stage, and notes what both sides say about it. */
export class TorrentCarrier {
  readonly #options: CarryOptions;
  readonly #planned = new Set<string>();

  constructor(options: CarryOptions) {
    this.#options = options;
  }

  /**
   * Does what is to be done next for a torrent. What goes wrong with one holds up no other.
   *
   * @returns whether it was done, so that there may be more to do at once
   */
  async carry(action: NonNullable<Action>, tracked: TrackedTorrent, signal: AbortSignal): Promise<boolean> {
    try {
      const isDone = await this.#act(action, tracked, signal);
      tracked.told.clear();
      return isDone;
    } catch (error) {
      if (signal.aborted) throw error;
      const why = messageWithCauses(error);
      // Tried again four times a second, for as long as it takes; said once.
      const level = tracked.told.has(why) ? "debug" : "warn";
      tracked.told.add(why);
      this.#options.log[level]({ torrent: tracked.id }, `${tracked.torrent.name} waits: ${why}`);
      this.#hold(tracked, why, waitsMs.notYet);
      return false;
    }
  }

  /** @returns whether it was done, so that there may be more to do at once */
  async #act(action: NonNullable<Action>, tracked: TrackedTorrent, signal: AbortSignal): Promise<boolean> {
    if (action === "describe") return await this.#describe(tracked, signal);
    if (this.#options.dryRun) return action === "open" && !tracked.isFinished && this.#sayPlan(tracked);
    if (action === "tagSynced") {
      await this.#tag(tracked, this.#options.tags.synced, signal);
      tracked.isSureThere = false;
      return false;
    }
    if (action === "tagFailed") return await this.#tag(tracked, this.#options.tags.syncFailed, signal);
    if (action === "forgive") {
      tracked.forgive();
      return true;
    }
    const destination = this.#options.destination();
    if (destination === undefined) return false;
    if (action === "open") return await this.#open(tracked, destination);
    if (action === "look") return await this.#look(tracked, destination, signal);
    return action === "finalize"
      ? await this.#finalize(tracked, destination)
      : await this.#abort(tracked, destination);
  }

  async #describe(tracked: TrackedTorrent, signal: AbortSignal): Promise<boolean> {
    const { source, clock, log } = this.#options;
    try {
      const { described, folders } = await source.describe(tracked, signal);
      const before = tracked.described;
      tracked.take(described, folders, clock.monotonic());
      const isChanged = before !== undefined && isAnother(before, described, tracked.isFinished);
      if (isChanged || (tracked.isFinished && !tracked.isThere(selectedPieces(described)))) {
        tracked.isOpen = false;
        tracked.isFinished = false;
        log.info({ torrent: tracked.id }, `${tracked.torrent.name} was changed in qBittorrent`);
      }
      return true;
    } catch (error) {
      if (error instanceof LayoutError && error.fault !== "incomplete") {
        this.#fail(tracked, error.message);
        return true;
      }
      const isEarly = error instanceof LayoutError || error instanceof QbitConflictError;
      if (!isEarly && !(error instanceof QbitNotFoundError)) throw error;
      this.#hold(tracked, error.message, waitsMs.notYet);
      return false;
    }
  }

  async #open(tracked: TrackedTorrent, destination: Destination): Promise<boolean> {
    const { described } = tracked;
    if (described === undefined) return false;
    const { synced } = this.#options.tags;
    const againIfGone = synced !== "" && !tracked.hasTag(synced);
    const brief: TorrentDescription = { ...described.description, againIfGone };
    const whole: TorrentDescription = { ...brief, torrent: described.torrent };
    const first = await destination.open(tracked.isKnownThere ? brief : whole);
    const isTorrentMissing =
      first.result?.$case === "refusal" && first.result.refusal.reason === Reason.TORRENT_NEEDED;
    const { result } = isTorrentMissing ? await destination.open(whole) : first;
    if (result?.$case === "refusal") return this.#refused(tracked, result.refusal);
    if (result === undefined)
      throw new Error(`the destination's answer about ${tracked.torrent.name} is empty`);
    tracked.hear(result.state);
    tracked.isSureThere = tracked.isFinished;
    if (result.state.phase === Phase.PAUSED) return this.#paused(tracked, result.state);
    if (result.state.phase === Phase.FAILED) return this.failedThere(tracked, result.state);
    if (!tracked.isOpen && !tracked.isFinished) {
      this.#hold(tracked, `the destination does not take it: ${result.state.detail}`, waitsMs.refused);
      return false;
    }
    this.#welcome(tracked);
    return true;
  }

  /** Asks how a torrent is there that waits, or that something went wrong with. */
  async #look(tracked: TrackedTorrent, destination: Destination, signal: AbortSignal): Promise<boolean> {
    const state = await destination.look(tracked.id);
    if (state.phase === Phase.FAILED) {
      tracked.hear(state);
      return this.failedThere(tracked, state);
    }
    if (tracked.askAgainAt !== undefined && state.phase !== Phase.PAUSED)
      await this.#getOver(tracked, signal);
    const wasOpen = tracked.isOpen;
    tracked.hear(state);
    if (state.phase === Phase.PAUSED && tracked.isPaused) {
      const { clock, doubtEveryMs } = this.#options;
      if (tracked.askAgainAt !== undefined) tracked.askAgainAt = clock.monotonic() + doubtEveryMs;
      return this.#paused(tracked, state);
    }
    if (tracked.isOpen && !wasOpen) this.#welcome(tracked);
    return true;
  }

  #welcome(tracked: TrackedTorrent): void {
    const needed = tracked.progress?.neededCount ?? 0;
    this.#options.log.info(
      { torrent: tracked.id, pieces: tracked.progress?.pieceCount, needed },
      `${tracked.torrent.name}: ${needed === 0 ? "all pieces are there" : `${needed} pieces to send`}`,
    );
    this.#options.onPieces();
  }

  /** It says what is wrong, and is asked again whether it still is. @returns whether that is news */
  failedThere(tracked: TrackedTorrent, { detail }: TorrentState): boolean {
    const { clock, doubtEveryMs, tags } = this.#options;
    tracked.askAgainAt = clock.monotonic() + doubtEveryMs;
    // Put on by an earlier life: taken off it means the same.
    if (tracked.hasTag(tags.syncFailed)) tracked.taggedAt.set(tags.syncFailed, clock.monotonic());
    if (tracked.failure !== undefined) return false;
    this.#fail(tracked, `the destination cannot go on with it: ${detail}`);
    return true;
  }

  /** What kept the destination from it is gone, and so is the tag that asked for a person. */
  async #getOver(tracked: TrackedTorrent, signal: AbortSignal): Promise<void> {
    const { source, tags, log } = this.#options;
    // qBittorrent may not have told of it yet.
    const isTagged = tracked.hasTag(tags.syncFailed) || tracked.taggedAt.has(tags.syncFailed);
    if (isTagged) await source.removeTag(tracked.id, tags.syncFailed, signal);
    tracked.forgive();
    log.info(
      { torrent: tracked.id },
      `${tracked.torrent.name} goes on: the destination got over what was wrong`,
    );
  }

  /** It is asked again when the wait is over, and told then what is still needed. */
  #paused(tracked: TrackedTorrent, { pause }: TorrentState): false {
    const isShort = pause?.reason === Pause_Reason.CHECKING;
    const waitMs = isShort ? waitsMs.checking : pause?.retryAfterMs || waitsMs.refused;
    this.#hold(tracked, `the destination waits: ${pause?.detail}`, waitMs);
    return false;
  }

  #refused(tracked: TrackedTorrent, { reason, detail, retryAfterMs }: Refusal): boolean {
    const isFinal = reason === Reason.INVALID || reason === Reason.CONFLICT;
    if (isFinal) this.#fail(tracked, `the destination refuses it: ${detail}`);
    else
      this.#hold(tracked, `the destination does not take it now: ${detail}`, retryAfterMs || waitsMs.refused);
    return isFinal;
  }

  async #finalize(tracked: TrackedTorrent, destination: Destination): Promise<boolean> {
    const { step, detail, retryAfterMs, state } = await destination.finalize(tracked.id, 0);
    if (step === Step.FINISHED) {
      if (state !== undefined) tracked.hear(state);
      tracked.isFinished = true;
      tracked.isSureThere = true;
      this.#options.onOutcome?.("synced");
      this.#options.log.info(
        { torrent: tracked.id },
        `${tracked.torrent.name} is complete at the destination`,
      );
      return true;
    }
    if (step === Step.INCOMPLETE || step === Step.NOT_OPEN) {
      if (state !== undefined) tracked.hear(state);
      if (step === Step.NOT_OPEN) tracked.isOpen = false;
      this.#options.onPieces();
      return true;
    }
    if (step === Step.FAILED) {
      tracked.failedFinalizations += 1;
      if (tracked.failedFinalizations < mostFailedFinalizations) this.#hold(tracked, detail, waitsMs.notYet);
      else {
        this.#fail(tracked, `it could not be finished at the destination: ${detail}`);
        if (state?.phase === Phase.FAILED) this.failedThere(tracked, state);
      }
      return tracked.failure !== undefined;
    }
    this.#hold(tracked, detail, retryAfterMs || waitsMs.finalizing);
    return false;
  }

  async #abort(tracked: TrackedTorrent, destination: Destination): Promise<boolean> {
    if (tracked.isFinished) await this.#options.onFinishedGone?.(tracked);
    // What is finished stays: it is somebody's only copy now.
    if (!tracked.isFinished && tracked.isKnownThere) {
      const { aborted, detail } = await destination.abort(tracked.id, { deleteFiles: true });
      // It was finished a moment ago.
      if (!aborted) await this.#options.onFinishedGone?.(tracked);
      this.#options.onOutcome?.("aborted");
      const what = aborted
        ? "what the destination had of it was dropped"
        : `the destination keeps it: ${detail}`;
      this.#options.log.info(
        { torrent: tracked.id },
        `${tracked.torrent.name} was removed from qBittorrent; ${what}`,
      );
    }
    this.#options.torrents.delete(tracked.id);
    return false;
  }

  async #tag(tracked: TrackedTorrent, tag: string, signal: AbortSignal): Promise<boolean> {
    await this.#options.source.addTag(tracked.id, tag, signal);
    tracked.taggedAt.set(tag, this.#options.clock.monotonic());
    return false;
  }

  #fail(tracked: TrackedTorrent, why: string): void {
    tracked.failure = why;
    this.#options.onOutcome?.("failed");
    this.#options.log.warn({ torrent: tracked.id }, `${tracked.torrent.name} cannot be synced: ${why}`);
  }

  #hold(tracked: TrackedTorrent, reason: string, waitMs: number): void {
    tracked.hold = { reason, until: this.#options.clock.monotonic() + waitMs };
  }

  #sayPlan(tracked: TrackedTorrent): boolean {
    if (this.#planned.has(tracked.id)) return false;
    this.#planned.add(tracked.id);
    const { described, torrent } = tracked;
    this.#options.log.info(
      { torrent: tracked.id, bytes: torrent.size, unselected: described?.description.unselectedFiles },
      `dry run: ${torrent.name} would be synced`,
    );
    return false;
  }
}
