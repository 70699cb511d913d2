import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import {
  type AbortResponse,
  type Answers,
  type ConnectOptions,
  connectQbSync,
  type FinalizeResponse,
  HelloResponse,
  type OpenResponse,
  type PieceChunk,
  type QbSyncClient,
  type SeedingResponse,
  TorrentDescription,
  type TorrentState,
} from "@qbit-sidecars/qbsync-protocol";

/** What the destination is told of a torrent that is gone here. */
export type SourceRemoved = {
  /** Empty when there was no hand-off. */
  handOffId: string;
  sourceName: string;
  tags: readonly string[];
};

/** The version of the protocol that this program speaks. */
const protocolVersion = 1;

/** The destination could not be asked, or did not answer in time. Says nothing about any torrent. */
export class DestinationError extends Error {
  override readonly name = "DestinationError";
  /** Whether asking again can help without anybody changing anything. */
  readonly isTransient: boolean;
  /** It does not let this source in; the message says why, in the destination's words. */
  readonly isRefusal: boolean;

  constructor(message: string, options: { isTransient: boolean; isRefusal?: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.isTransient = options.isTransient;
    this.isRefusal = options.isRefusal ?? false;
  }
}

export type Terms = {
  instanceId: string;
  program: string;
  capabilities: readonly string[];
  chunkBytes: number;
  maxStreams: number;
  maxOpenPieces: number;
  partBytes: number;
  descriptionBytes: number;
};

/** A stream of pieces. */
export type PieceStream = {
  /** Resolves when there is room for more. @throws DestinationError when the stream is over */
  write(chunk: PieceChunk): Promise<void>;
  readonly isOpen: boolean;
  close(): void;
};

type DialOptions = {
  /** As `host:port`; IPv6 in brackets. */
  address: string;
  program: string;
  /** Tells it from other sources; default empty. */
  sourceName?: string;
  /** Tells this run of the program from others, on all its connections; default empty. */
  instanceId?: string;
  /** How long an answer may take. */
  timeoutMs: number;
  /** What to do about a failure, by its words. */
  hint?: (failure: string) => string | undefined;
} & Pick<ConnectOptions, "tls" | "token">;

/** One TCP connection to qbsync-destination. Closing it ends every call and stream of it. */
export class Connection implements Disposable {
  readonly terms: Terms;
  readonly #client: QbSyncClient;
  readonly #timeoutMs: number;

  private constructor(client: QbSyncClient, terms: Terms, timeoutMs: number) {
    this.#client = client;
    this.terms = terms;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws DestinationError */
  static async dial(options: DialOptions): Promise<Connection> {
    const { address, program, sourceName = "", instanceId = "", timeoutMs, tls, token, hint } = options;
    // The waits between attempts are ours: each attempt is a connection of its own.
    const client = connectQbSync({ address, tls, token, reconnectMaxDelayMs: 1000 });
    try {
      const hello = await unary<HelloResponse>(`reaching ${address}`, (done) =>
        client.hello(
          { versions: [protocolVersion], program, capabilities: [], sourceName, instanceId },
          new Metadata(),
          { deadline: deadline(timeoutMs) },
          done,
        ),
      );
      return new Connection(client, termsOf(hello, address), timeoutMs);
    } catch (error) {
      client.close();
      throw withHint(error, hint);
    }
  }

  /** What the destination has of all torrents it knows. */
  async *query(torrentIds: readonly string[] = []): AsyncGenerator<TorrentState> {
    const call = this.#client.query({ torrentIds: [...torrentIds] }, this.#within());
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- grpc-js types its streams as streams of any
      for await (const state of call as AsyncIterable<TorrentState>) yield state;
    } catch (error) {
      throw translated("asking what the destination has", error);
    } finally {
      call.cancel();
    }
  }

  /** What it has of one torrent. */
  async look(torrentId: string): Promise<TorrentState> {
    for await (const state of this.query([torrentId])) return state;
    throw new DestinationError("asking what the destination has: it said nothing", { isTransient: true });
  }

  async open(description: TorrentDescription): Promise<OpenResponse> {
    const bytes = TorrentDescription.encode(description).finish();
    return await unary<OpenResponse>(`opening ${description.name}`, (done) => {
      const call = this.#client.open(this.#within(), done);
      for (let at = 0; at < bytes.length; at += this.terms.partBytes)
        call.write({ data: bytes.subarray(at, at + this.terms.partBytes) });
      call.end();
      return call;
    });
  }

  async finalize(torrentId: string, waitMs: number): Promise<FinalizeResponse> {
    return await unary<FinalizeResponse>("finalizing", (done) =>
      this.#client.finalize({ torrentId, waitMs }, new Metadata(), this.#within(waitMs), done),
    );
  }

  async abort(torrentId: string, options: { deleteFiles: boolean }): Promise<AbortResponse> {
    return await unary<AbortResponse>("aborting", (done) =>
      this.#client.abort(
        { torrentId, deleteFiles: options.deleteFiles },
        new Metadata(),
        this.#within(),
        done,
      ),
    );
  }

  async lookAtSeeding(torrentId: string): Promise<SeedingResponse> {
    return await unary<SeedingResponse>("looking at the destination's torrent", (done) =>
      this.#client.lookAtSeeding({ torrentId }, new Metadata(), this.#within(), done),
    );
  }

  async beginHandOff(torrentId: string, handOffId: string, sourceName: string): Promise<SeedingResponse> {
    return await unary<SeedingResponse>("beginning a hand-off", (done) =>
      this.#client.beginHandOff({ torrentId, handOffId, sourceName }, new Metadata(), this.#within(), done),
    );
  }

  async startSeeding(torrentId: string, handOffId: string): Promise<SeedingResponse> {
    return await unary<SeedingResponse>("starting the destination's torrent", (done) =>
      this.#client.startSeeding({ torrentId, handOffId, tags: [] }, new Metadata(), this.#within(), done),
    );
  }

  async stopSeeding(torrentId: string, handOffId: string): Promise<SeedingResponse> {
    return await unary<SeedingResponse>("stopping the destination's torrent", (done) =>
      this.#client.stopSeeding({ torrentId, handOffId }, new Metadata(), this.#within(), done),
    );
  }

  async sourceRemoved(torrentId: string, about: SourceRemoved): Promise<SeedingResponse> {
    const { tags, ...named } = about;
    return await unary<SeedingResponse>("telling that a torrent was removed here", (done) =>
      this.#client.sourceRemoved(
        { torrentId, ...named, tags: [...tags] },
        new Metadata(),
        this.#within(),
        done,
      ),
    );
  }

  /** Opens a stream of pieces. `onEnd` is called once, with why. */
  send(on: { answers: (answers: Answers) => void; end: (error: DestinationError) => void }): PieceStream {
    const call = this.#client.send();
    let over: DestinationError | undefined;
    let waiting: PromiseWithResolvers<void> | undefined;
    const end = (error: unknown) => {
      if (over !== undefined) return;
      over = translated("sending pieces", error);
      waiting?.reject(over);
      on.end(over);
    };
    call.on("data", on.answers);
    call.on("error", end);
    call.on("end", () => end(new Error("the destination ended the stream")));
    call.on("drain", () => waiting?.resolve());
    return {
      get isOpen() {
        return over === undefined;
      },
      async write(chunk) {
        if (over !== undefined) throw over;
        if (call.write(chunk)) return;
        // All who wait for the same stream go on together.
        waiting ??= Promise.withResolvers<void>();
        const { promise } = waiting;
        promise.catch(() => {});
        await promise.finally(() => (waiting = undefined));
      },
      close() {
        end(new Error("closed by this side"));
        call.cancel();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  #within(extraMs = 0): Partial<CallOptions> {
    return { deadline: deadline(this.#timeoutMs + extraMs) };
  }
}

function withHint(error: unknown, hint: DialOptions["hint"]): unknown {
  if (!(error instanceof DestinationError)) return error;
  const words = hint?.(error.message);
  if (words === undefined) return error;
  const { isTransient, isRefusal, cause } = error;
  return new DestinationError(`${error.message} (${words})`, { isTransient, isRefusal, cause });
}

function deadline(ms: number): Date {
  return new Date(Date.now() + ms);
}

function termsOf(
  { version, detail, program, capabilities, instanceId, limits }: HelloResponse,
  address: string,
): Terms {
  if (version !== protocolVersion) {
    const why = detail === "" ? `it speaks version ${version}` : detail;
    throw new DestinationError(`${address} does not speak version ${protocolVersion}: ${why}`, {
      isTransient: false,
    });
  }
  return {
    instanceId,
    program,
    capabilities,
    chunkBytes: limits?.maxChunkBytes ?? 65_536,
    maxStreams: Math.max(1, limits?.maxStreams ?? 1),
    maxOpenPieces: Math.max(1, limits?.maxOpenPieces ?? 1),
    partBytes: limits?.maxPartBytes ?? 65_536,
    descriptionBytes: limits?.maxDescriptionBytes ?? 0,
  };
}

type Callback<T> = (error: ServiceError | null, response: T) => void;

async function unary<T>(
  doing: string,
  call: (done: Callback<T>) => ClientUnaryCall | { cancel(): void },
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  call((error, response) => {
    if (error === null) resolve(response);
    else reject(translated(doing, error));
  });
  return await promise;
}

const lasting: ReadonlySet<number> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.UNIMPLEMENTED,
  status.INVALID_ARGUMENT,
  status.FAILED_PRECONDITION,
]);

function translated(doing: string, error: unknown): DestinationError {
  if (error instanceof DestinationError) return error;
  const isService = error instanceof Error && "details" in error && typeof error.details === "string";
  const why = isService
    ? plain(String(error.details))
    : String(error instanceof Error ? error.message : error);
  const code = isService && "code" in error ? Number(error.code) : status.UNKNOWN;
  const isRefusal = [status.UNAUTHENTICATED, status.PERMISSION_DENIED].map(Number).includes(code);
  return new DestinationError(`${doing}: ${why}`, {
    isTransient: !lasting.has(code),
    isRefusal,
    // The message of a status is its code and its details, which are all told already.
    cause: isService ? error.cause : error,
  });
}

/** grpc-js wraps the error of the socket: `No connection established. Last error: Error: X. Resolution note: `. */
const plain = (details: string): string =>
  /^No connection established\. Last error: (?:Error: )?(.+?)\. Resolution note:/s.exec(details)?.[1] ??
  details;
