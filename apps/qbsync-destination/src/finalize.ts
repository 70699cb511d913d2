import { join } from "node:path";
import { QbitError } from "@qbit-sidecars/qbit-client";
import {
  type FinalizeRequest,
  FinalizeResponse,
  FinalizeResponse_Step as Step,
} from "@qbit-sidecars/qbsync-protocol";
import { type Clock, type Logger, messageWithCauses } from "@qbit-sidecars/service";
import { type AddingStep, type ContentLayout, planAdding, type Seen, type Wanted } from "./plan-adding.ts";
import { Slots } from "./slots.ts";
import type { StoredTorrent } from "./stored-torrent.ts";
import type { TorrentStore } from "./torrent-store.ts";
import { verifyPieces } from "./verify-pieces.ts";
import { filesOf, piecesOf } from "./wanted-pieces.ts";

export type AddTorrent = {
  savePath: string;
  category: string;
  tags: readonly string[];
  skipChecking: boolean;
  contentLayout: ContentLayout;
};

/** What is asked of the destination's qBittorrent. */
export type Seeder = {
  look(id: string, signal: AbortSignal): Promise<Seen | undefined>;
  /** @returns why it was not taken, or undefined */
  add(torrent: Uint8Array, how: AddTorrent, signal: AbortSignal): Promise<string | undefined>;
  stop(id: string, signal: AbortSignal): Promise<void>;
  recheck(id: string, signal: AbortSignal): Promise<void>;
  addTags(id: string, tags: readonly string[], signal: AbortSignal): Promise<void>;
  renameFile(id: string, names: { from: string; to: string }, signal: AbortSignal): Promise<void>;
  select(id: string, files: { selected: number[]; unselected: number[] }, signal: AbortSignal): Promise<void>;
};

export type FinalizerOptions = {
  store: Pick<TorrentStore, "get" | "isFinished" | "state" | "finish">;
  /** Absent: files are stored, and that is all. */
  seeder: Seeder | undefined;
  /** The data directory as qBittorrent sees it. */
  savePath: string;
  syncedTag: string;
  verify: "changed" | "all";
  pollIntervalMs: number;
  /** Without any progress. */
  pollTimeoutMs: number;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  onHashed: (bytes: number) => void;
  onFinished: (result: "finished" | "failed" | "incomplete", tookMs: number) => void;
};

type Job = { step: Step; progress: number; detail: string; changed: PromiseWithResolvers<void> };

/** Torrents with more to read than this do not keep the others waiting. */
const largeBytes = 1024 ** 3;

/** A source that waits for an answer gets one at least so often. */
const longestWaitMs = 30_000;

/**
 * Finishes torrents: reads back what changed, and brings qBittorrent to have the torrent complete and stopped. Several
 * at once: large ones two at a time, the others eight, so that none waits for a terabyte to be read.
 */
export class Finalizer {
  readonly #options: FinalizerOptions;
  readonly #jobs = new Map<string, Job>();
  readonly #large = new Slots(2);
  readonly #small = new Slots(8);

  constructor(options: FinalizerOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#jobs.size;
  }

  /** Begins or goes on, and tells how far it is. */
  readonly finalize = async (request: FinalizeRequest, gone: AbortSignal): Promise<FinalizeResponse> => {
    const { store, clock } = this.#options;
    const { torrentId: id, waitMs } = request;
    const torrent = store.get(id);
    if (torrent === undefined) return this.#answer(id, store.isFinished(id) ? Step.FINISHED : Step.NOT_OPEN);
    if (torrent.failure !== undefined) return this.#answer(id, Step.FAILED, { detail: torrent.failure });
    if (!this.#jobs.has(id)) {
      await torrent.flush();
      if (!torrent.isComplete) return this.#answer(id, Step.INCOMPLETE);
    }
    const job = this.#jobs.get(id) ?? this.#begin(torrent);
    const until = clock.sleep(Math.min(waitMs, longestWaitMs), gone).catch(() => {});
    await Promise.race([job.changed.promise, until]);
    if (this.#jobs.get(id) === job) return this.#answer(id, job.step, job);
    return this.finalize({ torrentId: id, waitMs: 0 }, gone);
  };

  #answer(id: string, step: Step, about: { progress?: number; detail?: string } = {}): FinalizeResponse {
    const { progress = 0, detail = "" } = about;
    const state = this.#options.store.state(id);
    return FinalizeResponse.fromPartial({
      step,
      progress,
      detail,
      state,
      retryAfterMs: this.#options.pollIntervalMs,
    });
  }

  #begin(torrent: StoredTorrent): Job {
    const job = {
      step: Step.WAITING as Step,
      progress: 0,
      detail: "",
      changed: Promise.withResolvers<void>(),
    };
    this.#jobs.set(torrent.id, job);
    void this.#run(torrent, job);
    return job;
  }

  async #run(torrent: StoredTorrent, job: Job): Promise<void> {
    const { clock, log, onFinished, signal } = this.#options;
    const startedAt = clock.monotonic();
    torrent.setFinalizing(true);
    const slots = torrent.layout.totalSize > largeBytes ? this.#large : this.#small;
    try {
      const result = await slots.run(() => this.#finish(torrent, job));
      onFinished(result, clock.monotonic() - startedAt);
    } catch (error) {
      if (!signal.aborted && !torrent.isClosed) {
        torrent.diskError(error, "finalizing");
        log.warn({ err: error, torrent: torrent.id }, `${torrent.layout.name} could not be finalized`);
      }
    } finally {
      torrent.setFinalizing(false);
      this.#jobs.delete(torrent.id);
      job.changed.resolve();
    }
  }

  async #finish(torrent: StoredTorrent, job: Job): Promise<"finished" | "failed" | "incomplete"> {
    this.#show(job, { step: Step.VERIFYING });
    await torrent.placeFiles();
    if (torrent.failure !== undefined) return "failed";
    const wrong = await this.#readBack(torrent, job);
    await torrent.files.sync();
    await torrent.lose(wrong, "read back, they were not what was received");
    if (wrong.length > 0) return "incomplete";
    if (this.#options.seeder !== undefined && !(await this.#handOver(torrent, job, this.#options.seeder)))
      return "failed";
    await this.#options.store.finish(torrent);
    const { name } = torrent.layout;
    this.#options.log.info({ torrent: torrent.id, name }, `finished: ${name}`);
    return "finished";
  }

  /** @returns pieces that are wrong */
  async #readBack(torrent: StoredTorrent, job: Job): Promise<number[]> {
    const pieces = await this.#piecesToRead(torrent);
    let done = 0;
    const { wrong, hashedBytes } = await verifyPieces(torrent, pieces, () => {
      done += 1;
      this.#show(job, {
        progress: done / pieces.length,
        detail: `${done} of ${pieces.length} pieces read back`,
      });
    });
    this.#options.onHashed(hashedBytes);
    const doubtful = new Set(wrong.flatMap((piece) => [...filesOf(torrent.layout, piece)]));
    for (const { index } of torrent.layout.files)
      if (!doubtful.has(index) && (await torrent.files.isChanged(index)))
        await torrent.files.acceptChange(index);
    return wrong;
  }

  async #piecesToRead({ layout, files }: StoredTorrent): Promise<number[]> {
    const pieces = new Set<number>();
    for (const { index } of layout.files) {
      if (!files.isPlaced(index)) continue;
      if (this.#options.verify === "changed" && !(await files.isChanged(index))) continue;
      for (const piece of piecesOf(layout, index)) pieces.add(piece);
    }
    return [...pieces];
  }

  /** @returns false when it failed, and the torrent says why */
  async #handOver(torrent: StoredTorrent, job: Job, seeder: Seeder): Promise<boolean> {
    const { clock, pollIntervalMs, pollTimeoutMs, signal } = this.#options;
    const wanted = this.#wanted(torrent);
    const progress = { look: "", at: clock.monotonic() };
    let check: "none" | "asked" | "running" | "done" = "none";
    for (;;) {
      signal.throwIfAborted();
      if (torrent.isClosed) return false;
      try {
        const seen = await seeder.look(torrent.id, signal);
        torrent.qbittorrentState = seen?.state ?? "";
        const isChecking = seen?.state.startsWith("checking") === true;
        if (check === "asked" && isChecking) check = "running";
        else if (check === "running" && !isChecking) check = "done";
        const look = `${seen?.state} ${seen?.progress}`;
        if (look !== progress.look) Object.assign(progress, { look, at: clock.monotonic() });
        const isStuck = clock.monotonic() - progress.at >= pollTimeoutMs;
        const step = planAdding(wanted, seen, { layout: torrent.layout, hasChecked: check === "done" });
        if (step.kind === "done") return true;
        if (step.kind === "fail") return this.#failed(torrent, step.why);
        if (isStuck)
          return this.#failed(
            torrent,
            `qBittorrent made no progress for ${pollTimeoutMs / 1000} s (${look})`,
          );
        this.#show(job, describeStep(step));
        const problem =
          step.kind === "recheck" && check !== "none" ? undefined : await this.#do(step, torrent, seeder);
        if (step.kind === "recheck" && check === "none") check = "asked";
        if (typeof problem === "string") this.#show(job, { detail: problem });
        else if (isImmediate(step)) continue;
      } catch (error) {
        if (!(error instanceof QbitError) || signal.aborted) throw error;
        this.#show(job, { step: Step.QBITTORRENT_AWAY, detail: messageWithCauses(error) });
      }
      await clock.sleep(pollIntervalMs, signal);
    }
  }

  #failed(torrent: StoredTorrent, why: string): false {
    torrent.fail(why);
    return false;
  }

  #wanted({ description, layout, unselected }: StoredTorrent): Wanted {
    const renamed = new Map(description.renamedFiles.map(({ file, path }) => [file, path]));
    const { syncedTag } = this.#options;
    return {
      paths: layout.files.map(({ index, path }) => renamed.get(index) ?? path),
      unselected,
      tags: [...new Set([...description.tags, ...(syncedTag === "" ? [] : [syncedTag])])],
    };
  }

  /** @returns what qBittorrent had against it, or nothing */
  async #do(step: AddingStep, { id, description }: StoredTorrent, seeder: Seeder): Promise<string | void> {
    const { signal, savePath } = this.#options;
    switch (step.kind) {
      case "add": {
        const how = {
          savePath: join(savePath, description.savePath),
          category: description.category,
          tags: description.tags,
          skipChecking: step.skipChecking,
          contentLayout: step.contentLayout,
        };
        const refused = await seeder.add(description.torrent, how, signal);
        return refused && `adding the torrent: ${refused}`;
      }
      case "stop":
        return seeder.stop(id, signal);
      case "select":
        return seeder.select(id, step, signal);
      case "rename":
        return seeder.renameFile(id, step, signal);
      case "recheck":
        return seeder.recheck(id, signal);
      case "tag":
        return seeder.addTags(id, step.tags, signal);
      case "wait":
      case "done":
      case "fail":
        return;
    }
  }

  #show(job: Job, change: Partial<Pick<Job, "step" | "progress" | "detail">>): void {
    const isNew = change.step !== undefined && change.step !== job.step;
    Object.assign(job, change);
    if (!isNew) return;
    job.changed.resolve();
    job.changed = Promise.withResolvers();
  }
}

function describeStep(step: AddingStep): Partial<Pick<Job, "step" | "progress" | "detail">> {
  if (step.kind === "wait") return { step: Step.CHECKING, progress: step.progress, detail: step.detail };
  if (step.kind === "recheck")
    return { step: Step.CHECKING, progress: 0, detail: "qBittorrent is asked to check" };
  return { step: Step.ADDING, progress: 0, detail: step.kind };
}

/** What qBittorrent does at once; the others take it a moment. */
const isImmediate = ({ kind }: AddingStep): boolean => kind === "add" || kind === "tag";
