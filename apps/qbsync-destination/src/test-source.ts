import {
  type Answers,
  type ClientDuplexStream,
  type ConnectOptions,
  connectQbSync,
  type FinalizeResponse,
  FinalizeResponse_Step as Step,
  type HelloResponse,
  Metadata,
  type OpenResponse,
  Phase,
  PieceAnswer_Outcome as Outcome,
  type PieceChunk,
  PieceSet,
  type QbSyncClient,
  readLayout,
  TorrentDescription,
  type TorrentLayout,
  TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import { type MadeTorrent, waitFor } from "@qbit-sidecars/testing";

/** For tests: a source as simple as can be, which has all the data of its torrents. */
export class TestSource implements Disposable {
  readonly client: QbSyncClient;
  #stream: ClientDuplexStream<PieceChunk, Answers> | undefined;
  readonly heard = new Map<string, Outcome[]>();
  readonly pauses: Answers["pauses"] = [];
  sentBytes = 0;
  /** How long answers are waited for. */
  patienceMs = 20_000;
  broken: Error | undefined;

  /** Who it says it is. */
  identity = { sourceName: "", instanceId: "" };

  constructor(port: number, credentials: Pick<ConnectOptions, "tls" | "token"> = {}) {
    this.client = connectQbSync({ address: `127.0.0.1:${port}`, reconnectMaxDelayMs: 100, ...credentials });
  }

  hello(versions = [1]): Promise<HelloResponse> {
    return unary((done) =>
      this.client.hello(
        { versions, program: "test", capabilities: [], ...this.identity },
        none(),
        { deadline: soon() },
        done,
      ),
    );
  }

  open(
    made: Pick<MadeTorrent, "torrent" | "torrentId">,
    about: Partial<TorrentDescription> = {},
  ): Promise<OpenResponse> {
    const description = TorrentDescription.fromPartial({
      torrentId: made.torrentId,
      torrent: Uint8Array.from(made.torrent),
      ...about,
    });
    return this.openBytes(TorrentDescription.encode(description).finish());
  }

  openBytes(bytes: Uint8Array): Promise<OpenResponse> {
    return unary((done) => {
      const call = this.client.open(none(), { deadline: soon() }, done);
      for (let at = 0; at < bytes.length; at += 60_000) call.write({ data: bytes.subarray(at, at + 60_000) });
      call.end();
    });
  }

  /** @throws when it is refused */
  async mustOpen(made: MadeTorrent, about: Partial<TorrentDescription> = {}): Promise<TorrentState> {
    const { result } = await this.open(made, about);
    if (result?.$case !== "state") throw new Error(`refused: ${result?.refusal.detail}`);
    return result.state;
  }

  async states(...torrentIds: string[]): Promise<TorrentState[]> {
    const states: TorrentState[] = [];
    for await (const state of this.client.query({ torrentIds }, none(), { deadline: soon() }))
      states.push(state);
    return states;
  }

  async state(torrentId: string): Promise<TorrentState> {
    const [state] = await this.states(torrentId);
    return state ?? TorrentState.fromPartial({});
  }

  get stream(): ClientDuplexStream<PieceChunk, Answers> {
    if (this.#stream) return this.#stream;
    const stream = this.client.send();
    this.#stream = stream;
    stream.on("data", ({ pieces: answers, pauses }: Answers) => {
      this.pauses.push(...pauses);
      for (const { torrentId, pieces, outcome } of answers)
        for (const piece of pieces) this.all({ torrentId }, piece).push(outcome);
    });
    stream.on("error", (error: Error) => {
      this.broken = error;
      this.#stream = undefined;
    });
    stream.on("end", () => {
      this.#stream = undefined;
    });
    return stream;
  }

  /** Sends a piece in chunks; resolves when it is on its way. */
  async send(
    made: MadeTorrent,
    piece: number,
    change: { chunkBytes?: number; alter?: (payload: Buffer) => void } = {},
  ) {
    const payload = payloadOf(made, layoutOf(made), piece);
    change.alter?.(payload);
    const { chunkBytes = 1024 * 1024 } = change;
    for (let offset = 0; offset < payload.length; offset += chunkBytes) {
      const data = payload.subarray(offset, offset + chunkBytes);
      await this.chunk({ torrentId: made.torrentId, piece, offset, data });
    }
  }

  async chunk(chunk: PieceChunk): Promise<void> {
    this.sentBytes += chunk.data.length;
    const { stream } = this;
    if (stream.write(chunk)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.once("drain", resolve).once("error", resolve);
    await promise;
    stream.off("drain", resolve).off("error", resolve);
  }

  /** All answers to a piece since `forget`. */
  all({ torrentId }: Pick<MadeTorrent, "torrentId">, piece: number): Outcome[] {
    const key = `${torrentId} ${piece}`;
    const answers = this.heard.get(key) ?? [];
    this.heard.set(key, answers);
    return answers;
  }

  /** Resolves with the last answer to a piece that is final. */
  answered(made: Pick<MadeTorrent, "torrentId">, piece: number): Promise<Outcome> {
    return waitFor(
      () => {
        const last = this.all(made, piece).at(-1);
        return last === Outcome.RECEIVED || last === Outcome.WRITTEN ? undefined : last;
      },
      { what: `the answer for piece ${piece}`, timeoutMs: this.patienceMs },
    );
  }

  /** Opens a torrent and sends whatever is needed until nothing is. */
  async deliver(made: MadeTorrent, about: Partial<TorrentDescription> = {}): Promise<void> {
    await this.mustOpen(made, about);
    for (let round = 0; round < 10; round += 1) {
      const state = await this.whenNotPaused(made.torrentId);
      if (state.neededCount === 0) return;
      const needed = PieceSet.fromBytes(state.needed, state.pieceCount);
      for (const piece of needed) this.all(made, piece).length = 0;
      for (const piece of needed) await this.send(made, piece);
      for (const piece of needed) await this.answered(made, piece);
    }
    throw new Error("pieces are needed again and again");
  }

  whenNotPaused(torrentId: string): Promise<TorrentState> {
    return waitFor(
      async () => {
        const state = await this.state(torrentId);
        return state.phase === Phase.PAUSED ? undefined : state;
      },
      { what: "the torrent to take pieces", timeoutMs: this.patienceMs },
    );
  }

  finalize(torrentId: string, waitMs = 0): Promise<FinalizeResponse> {
    return unary((done) => this.client.finalize({ torrentId, waitMs }, none(), { deadline: soon() }, done));
  }

  /** Asks until the torrent is finished, failed or incomplete. */
  async finalized(torrentId: string): Promise<FinalizeResponse> {
    const ends: readonly Step[] = [Step.FINISHED, Step.FAILED, Step.INCOMPLETE, Step.NOT_OPEN];
    return waitFor(
      async () => {
        const response = await this.finalize(torrentId, 500);
        return ends.includes(response.step) ? response : undefined;
      },
      { what: "the torrent to be finalized", timeoutMs: 2.5 * this.patienceMs },
    );
  }

  abort(torrentId: string, deleteFiles: boolean) {
    return unary<{ aborted: boolean; filesDeleted: number }>((done) =>
      this.client.abort({ torrentId, deleteFiles }, none(), { deadline: soon() }, done),
    );
  }

  [Symbol.dispose](): void {
    this.#stream?.cancel();
    this.client.close();
  }
}

const layouts = new WeakMap<MadeTorrent, TorrentLayout>();

/** The layout of a made torrent, read once. */
export function layoutOf(made: MadeTorrent): TorrentLayout {
  const layout = layouts.get(made) ?? readLayout(made.torrent);
  layouts.set(made, layout);
  return layout;
}

function payloadOf(made: MadeTorrent, layout: TorrentLayout, piece: number): Buffer {
  const parts = layout
    .slices(piece)
    .map(({ file, offset, length }) => made.files[file]?.content(offset, length));
  return Buffer.concat(parts.filter((part) => part !== undefined));
}

const none = (): Metadata => new Metadata();
const soon = (): number => Date.now() + 30_000;

function unary<T>(call: (done: (error: Error | null, value: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });
}
