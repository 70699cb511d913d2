import type { ServerDuplexStream } from "@grpc/grpc-js";
import {
  type Answers,
  FinalizeResponse,
  FinalizeResponse_Step as Step,
  type HelloRequest,
  HelloResponse,
  OpenResponse,
  Phase,
  type PieceAnswer_Outcome,
  PieceAnswer_Outcome as Outcome,
  type PieceChunk,
  type QbSyncServer,
  Refusal_Reason,
  type ServeOptions,
  serveQbSync,
  type Serving,
  TorrentDescription,
  TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import { PieceSet, readLayout, type TorrentLayout } from "@qbit-sidecars/qbsync-protocol/layout";
import { createHash } from "node:crypto";
import { HandOffStandIn } from "./hand-off-under-test.ts";

/** What the stand-in has of a torrent. */
export type Stored = {
  description: TorrentDescription;
  layout: TorrentLayout;
  digest: Buffer;
  wanted: PieceSet;
  durable: PieceSet;
  /** The payload of each piece, as it arrived. */
  content: Map<number, Buffer>;
  isFinished: boolean;
};

/** Undefined: it is stored and answered for as it should be. */
type Verdict = PieceAnswer_Outcome | "silence" | undefined;

export type StandInOptions = {
  port?: number;
  /** Asked for each piece that arrived whole; the default is to store it. "silence" answers nothing. */
  onPiece?: (torrentId: string, piece: number) => Verdict | Promise<Verdict>;
  /** Why it cannot go on with a torrent. */
  failure?: (torrentId: string) => string | undefined;
  onFinalize?: () => Partial<FinalizeResponse> | undefined;
  /** Whom it lets in. */
  serve?: Pick<ServeOptions, "tls" | "tokens">;
  /** What it says of itself in Hello, beside or instead of the usual. */
  hello?: Partial<HelloResponse>;
  limits?: { maxStreams?: number; maxOpenPieces?: number; maxChunkBytes?: number };
};

const mebibyte = 1024 * 1024;

/** A destination that keeps everything in memory and remembers what was sent to it. */
export class DestinationStandIn implements AsyncDisposable {
  readonly torrents = new Map<string, Stored>();
  /** Each piece that arrived whole, in the order of arrival: "id:piece". */
  readonly arrivals: string[] = [];
  readonly aborted: string[] = [];
  /** What each connection said of itself. */
  readonly hellos: HelloRequest[] = [];
  /** Finished torrents that somebody deleted there since. */
  readonly deleted = new Set<string>();
  /** Used where `hello` tells the capability "hand-off". */
  readonly handOffs = new HandOffStandIn();
  connections = 0;
  openStreams = 0;
  mostOpenPieces = 0;
  options: StandInOptions;
  #serving: Serving | undefined;
  #calls = new Set<ServerDuplexStream<PieceChunk, Answers>>();
  #openPieces = 0;

  private constructor(options: StandInOptions) {
    this.options = options;
  }

  static async start(options: StandInOptions = {}): Promise<DestinationStandIn> {
    const standIn = new DestinationStandIn(options);
    await standIn.start(options.port ?? 0);
    return standIn;
  }

  get port(): number {
    return this.#serving?.port ?? 0;
  }

  async start(port: number): Promise<void> {
    this.#serving = await serveQbSync(this.#implementation(), {
      address: { host: "127.0.0.1", port },
      windows: { streamBytes: 4 * mebibyte, connectionBytes: 4 * mebibyte },
      maxMessageBytes: 2 * mebibyte,
      ...this.options.serve,
    });
  }

  async stop(): Promise<void> {
    for (const call of this.#calls) call.destroy();
    await this.#serving?.[Symbol.asyncDispose]();
    this.#serving = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  has(id: string): number {
    return this.torrents.get(id)?.durable.size ?? 0;
  }

  isComplete(id: string): boolean {
    const stored = this.torrents.get(id);
    return stored !== undefined && [...stored.wanted].every((piece) => stored.durable.has(piece));
  }

  #implementation(): QbSyncServer {
    return {
      hello: ({ request }, answer) => {
        this.connections += 1;
        this.hellos.push(request);
        const { maxStreams = 16, maxOpenPieces = 64, maxChunkBytes = mebibyte } = this.options.limits ?? {};
        answer(
          null,
          HelloResponse.fromPartial({
            version: 1,
            program: "stand-in",
            instanceId: "one",
            limits: {
              maxChunkBytes,
              maxStreams,
              maxDescriptionBytes: 64 * mebibyte,
              maxPartBytes: mebibyte,
              maxOpenPieces,
            },
            ...this.options.hello,
          }),
        );
      },
      query: (call) => {
        const { torrentIds } = call.request;
        for (const [id, stored] of this.torrents) {
          if (torrentIds.length > 0 && !torrentIds.includes(id)) continue;
          const handOff = this.handOffs.records.get(id);
          const detail = this.options.failure?.(id);
          const failed = detail !== undefined && { phase: Phase.FAILED, detail };
          call.write({ ...stateOf(id, stored), ...(handOff && { handOff }), ...failed });
        }
        call.end();
      },
      open: (call, answer) => {
        const parts: Uint8Array[] = [];
        call.on("data", ({ data }: { data: Uint8Array }) => parts.push(data));
        call.on("end", () => answer(null, this.#open(TorrentDescription.decode(Buffer.concat(parts)))));
      },
      send: (call) => this.#receive(call),
      finalize: ({ request: { torrentId } }, answer) => {
        const stored = this.torrents.get(torrentId);
        const isDone = this.isComplete(torrentId);
        const own = this.options.onFinalize?.();
        if (stored !== undefined && own === undefined && isDone) stored.isFinished = true;
        answer(
          null,
          FinalizeResponse.fromPartial({
            step: stored === undefined ? Step.NOT_OPEN : isDone ? Step.FINISHED : Step.INCOMPLETE,
            ...(stored !== undefined && { state: stateOf(torrentId, stored) }),
            ...own,
          }),
        );
      },
      abort: ({ request: { torrentId } }, answer) => {
        this.aborted.push(torrentId);
        answer(null, { aborted: this.torrents.delete(torrentId), filesDeleted: 0, detail: "" });
      },
      ...this.handOffs.methods((id) => this.torrents.get(id)?.isFinished === true),
    };
  }

  #open(description: TorrentDescription): OpenResponse {
    const known = this.torrents.get(description.torrentId);
    const torrent = description.torrent.length > 0 ? description.torrent : known?.description.torrent;
    if (torrent === undefined)
      return OpenResponse.fromPartial({
        result: { $case: "refusal", refusal: { reason: Refusal_Reason.TORRENT_NEEDED } },
      });
    const layout = readLayout(torrent);
    const told = { ...description, torrent: new Uint8Array(), againIfGone: false };
    const bare = TorrentDescription.encode(told).finish();
    const isAgain = description.againIfGone && this.deleted.delete(description.torrentId);
    const wanted = new PieceSet(layout.pieceCount);
    for (const { index, firstPiece, endPiece } of layout.files) {
      if (description.unselectedFiles.includes(index)) continue;
      for (let piece = firstPiece; piece < endPiece; piece += 1) wanted.add(piece);
    }
    const stored: Stored = {
      description: { ...description, torrent },
      layout,
      digest: createHash("sha256").update(bare).digest(),
      wanted,
      durable: (isAgain ? undefined : known?.durable) ?? new PieceSet(layout.pieceCount),
      content: known?.content ?? new Map(),
      isFinished: false,
    };
    stored.isFinished = known?.isFinished === true && [...wanted].every((piece) => stored.durable.has(piece));
    this.torrents.set(description.torrentId, stored);
    return { result: { $case: "state", state: stateOf(description.torrentId, stored) } };
  }

  #receive(call: ServerDuplexStream<PieceChunk, Answers>): void {
    const arriving = new Map<string, Buffer[]>();
    this.#calls.add(call);
    this.openStreams += 1;
    call.on("error", () => {});
    call.on("close", () => {
      this.#openPieces -= arriving.size;
      if (this.#calls.delete(call)) this.openStreams -= 1;
    });
    call.on("end", () => call.end());
    call.on("data", (chunk: PieceChunk) => {
      const key = `${chunk.torrentId}:${chunk.piece}`;
      if (chunk.offset === 0 && !arriving.has(key)) this.#openPieces += 1;
      this.mostOpenPieces = Math.max(this.mostOpenPieces, this.#openPieces);
      const parts = chunk.offset === 0 ? [] : (arriving.get(key) ?? []);
      parts.push(Buffer.from(chunk.data));
      arriving.set(key, parts);
      const stored = this.torrents.get(chunk.torrentId);
      const size = parts.reduce((sum, part) => sum + part.length, 0);
      if (stored !== undefined && size < stored.layout.pieceSize(chunk.piece)) return;
      arriving.delete(key);
      this.#openPieces -= 1;
      void this.#whole(call, chunk, Buffer.concat(parts));
    });
  }

  async #whole(
    call: ServerDuplexStream<PieceChunk, Answers>,
    { torrentId, piece }: PieceChunk,
    bytes: Buffer,
  ): Promise<void> {
    this.arrivals.push(`${torrentId}:${piece}`);
    const own = await this.options.onPiece?.(torrentId, piece);
    if (own === "silence") return;
    const outcome = own ?? this.#store(torrentId, piece, bytes);
    const answer = (one: PieceAnswer_Outcome) =>
      call.write({ pieces: [{ torrentId, pieces: [piece], outcome: one, detail: "" }], pauses: [] });
    answer(outcome);
    if (outcome === Outcome.WRITTEN) answer(Outcome.DURABLE);
  }

  #store(torrentId: string, piece: number, bytes: Buffer): PieceAnswer_Outcome {
    const stored = this.torrents.get(torrentId);
    if (stored === undefined) return Outcome.NOT_OPEN;
    const verifier = stored.layout.verifier(piece);
    verifier.update(bytes);
    if (!verifier.matches()) return Outcome.HASH_MISMATCH;
    stored.durable.add(piece);
    stored.content.set(piece, bytes);
    return Outcome.WRITTEN;
  }
}

function stateOf(torrentId: string, { digest, layout, wanted, durable, isFinished }: Stored): TorrentState {
  const needed = new PieceSet(layout.pieceCount);
  for (const piece of wanted) if (!durable.has(piece)) needed.add(piece);
  const isComplete = needed.size === 0;
  return TorrentState.fromPartial({
    torrentId,
    phase: isFinished ? Phase.FINISHED : isComplete ? Phase.COMPLETE : Phase.RECEIVING,
    pieceCount: layout.pieceCount,
    durable: durable.toBytes(),
    needed: needed.toBytes(),
    neededCount: needed.size,
    descriptionDigest: digest,
  });
}
