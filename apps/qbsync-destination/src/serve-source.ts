import {
  type Answers,
  type FinalizeRequest,
  type FinalizeResponse,
  GrpcError,
  grpcStatus as status,
  HelloResponse,
  type Limits,
  OpenResponse,
  type PieceChunk,
  type QbSyncServer,
  type QueryRequest,
  Refusal_Reason,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerWritableStream,
  TorrentDescription,
  type TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import { messageWithCauses, type Logger } from "@qbit-sidecars/service";
import type { ConnectedSources, SourceIdentity } from "./connected-sources.ts";
import { errorCode } from "./error-code.ts";
import { DescriptionReader } from "./read-description.ts";
import type { PieceReceiver } from "./receive-pieces.ts";
import { RefusedError } from "./refused.ts";
import { handOffMethods } from "./serve-hand-offs.ts";
import type { TakeOver } from "./take-over.ts";
import { TellRefusals } from "./tell-refusals.ts";
import type { TorrentOwners } from "./torrent-owners.ts";
import type { TorrentStore } from "./torrent-store.ts";

/** The version of the protocol that this program speaks. */
const version = 1;

export type SourceServiceOptions = {
  store: TorrentStore;
  /** @throws RefusedError */
  open: (description: TorrentDescription) => Promise<TorrentState>;
  receiver: PieceReceiver;
  sources: ConnectedSources;
  owners: TorrentOwners;
  /** Where finished torrents go; see finalize.ts. */
  finalize: (request: FinalizeRequest, signal: AbortSignal) => Promise<FinalizeResponse>;
  /** Undefined where there is no qBittorrent that could take over. */
  takeOver: TakeOver | undefined;
  limits: Limits;
  /** For a torrent that could not be stored now. */
  retryAfterMs: number;
  log: Logger;
  /** What Hello tells beside versions and limits. */
  about: () => Pick<
    HelloResponse,
    "program" | "capabilities" | "instanceId" | "qbittorrentVersion" | "syncedTag"
  >;
};

/** The QbSync service, as a source calls it. Each method only translates. */
export function sourceService(options: SourceServiceOptions): QbSyncServer {
  const { store, receiver, sources, owners, limits, log } = options;
  const descriptions = new DescriptionReader(limits.maxDescriptionBytes);
  const refusals = new TellRefusals(log);
  const answer = async <T>(task: () => Promise<T>, callback: sendUnaryData<T>): Promise<void> => {
    try {
      callback(null, await task());
    } catch (error) {
      callback(failure(error, log));
    }
  };
  return {
    hello(call, callback) {
      const { sourceName: name, instanceId } = call.request;
      sources.hello(call.getPeer(), { name, instanceId });
      void answer(async () => hello(call.request.versions, options), callback);
    },
    query(call) {
      void tellStates(call, options);
    },
    open(call, callback) {
      const from = sources.identity(call.getPeer());
      void answer(
        async () => openTorrent(await descriptions.read(call), refusals, { ...options, from }),
        callback,
      );
    },
    send(call) {
      if (receiver.streamCount >= limits.maxStreams)
        call.emit("error", new GrpcError(status.RESOURCE_EXHAUSTED, `${limits.maxStreams} streams are open`));
      else void send(call, receiver, { log, sources });
    },
    finalize(call, callback) {
      void answer(() => options.finalize(call.request, goneSignal(call)), callback);
    },
    abort(call, callback) {
      void answer(async () => {
        const { torrentId, deleteFiles } = call.request;
        const others = owners.whyNotAbort(torrentId, sources.identity(call.getPeer()));
        if (others !== undefined) return { aborted: false, filesDeleted: 0, detail: others };
        const done = await store.abort(torrentId, deleteFiles);
        if (done) owners.forget(torrentId);
        if (done) return { aborted: true, filesDeleted: done.deleted, detail: "" };
        const detail = store.isFinished(torrentId) ? "it is finished and stays" : "it is not known";
        return { aborted: false, filesDeleted: 0, detail };
      }, callback);
    },
    ...handOffMethods(options.takeOver, answer, (id) => owners.nameOf(id)),
  };
}

async function hello(
  versions: readonly number[],
  { limits, about }: SourceServiceOptions,
): Promise<HelloResponse> {
  const isSpoken = versions.includes(version);
  const detail = isSpoken
    ? ""
    : `version ${version} of the protocol is spoken here, and not ${versions.join(", ")}`;
  return HelloResponse.fromPartial({ ...about(), version: isSpoken ? version : 0, detail, limits });
}

async function openTorrent(
  description: TorrentDescription,
  refusals: TellRefusals,
  { from, ...options }: SourceServiceOptions & { from: SourceIdentity },
): Promise<OpenResponse> {
  const { store, owners } = options;
  const { torrentId } = description;
  try {
    // What is finished is no source's business any more, unless it wants more of it.
    const isSettled = store.isFinished(torrentId);
    if (!isSettled) owners.refuseOthers(torrentId, from);
    const state = await options.open(description);
    if (!isSettled || !store.isFinished(torrentId)) await owners.take(torrentId, from);
    refusals.forget(torrentId);
    return { result: { $case: "state", state } };
  } catch (error) {
    const refusal = refusalOf(error, options);
    refusals.tell(description, refusal);
    const { reason, message: detail, retryAfterMs } = refusal;
    return { result: { $case: "refusal", refusal: { reason, detail, retryAfterMs } } };
  }
}

/** A disk that is full or read-only is a reason to ask again. */
function refusalOf(error: unknown, { retryAfterMs }: SourceServiceOptions): RefusedError {
  if (error instanceof RefusedError) return error;
  if (errorCode(error) === undefined) throw error;
  return new RefusedError(messageWithCauses(error), Refusal_Reason.BUSY, { cause: error, retryAfterMs });
}

/** One after the other as they are read: all bitmaps together may be more than fits into memory. */
async function tellStates(
  call: ServerWritableStream<QueryRequest, TorrentState>,
  { store, takeOver, owners }: SourceServiceOptions,
): Promise<void> {
  const gone = goneSignal(call);
  const { torrentIds } = call.request;
  for (const id of torrentIds.length > 0 ? torrentIds : store.ids()) {
    if (gone.aborted) return;
    const record = takeOver?.record(id);
    const sourceName = owners.nameOf(id);
    const state = { ...store.state(id), sourceName, ...(record !== undefined && { handOff: record }) };
    if (!call.write(state)) await drained(call, gone);
  }
  call.end();
}

async function drained(
  call: { once(event: "drain", listener: () => void): unknown },
  gone: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  call.once("drain", resolve);
  gone.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}

async function send(
  call: ServerDuplexStream<PieceChunk, Answers>,
  receiver: PieceReceiver,
  { log, sources }: { log: Logger; sources: ConnectedSources },
): Promise<void> {
  const ended = sources.streaming(call.getPeer());
  try {
    await receiver.receive(call, goneSignal(call));
    call.end();
  } catch (error) {
    // The other side went away, or sent what no message is.
    log.debug({ err: error, peer: call.getPeer() }, "a stream of pieces broke");
    if (!call.cancelled) call.emit("error", failure(error, log));
  } finally {
    ended();
  }
}

function goneSignal(call: { once(event: "cancelled", listener: () => void): unknown }): AbortSignal {
  const gone = new AbortController();
  call.once("cancelled", () => gone.abort());
  return gone.signal;
}

function failure(error: unknown, log: Logger): GrpcError {
  if (error instanceof GrpcError) return error;
  log.error({ err: error }, "answering a source");
  return new GrpcError(status.INTERNAL, "internal error, see the destination's log");
}
