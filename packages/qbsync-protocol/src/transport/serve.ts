import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { type QbSyncServer, QbSyncService } from "../gen/qbit_sidecars/qbsync/v1/qbsync.ts";
import { admitCalls } from "./admit-calls.ts";
import { BearerTokens } from "./bearer-tokens.ts";
import { Gate, type Rejection, type ServerTls } from "./gate.ts";
import { outliveBrokenStreams } from "./outlive-broken-streams.ts";
import { openReceiveWindows, type ReceiveWindows } from "./receive-windows.ts";
import { type AdmittedCall, endWithdrawn } from "./withdrawn-tokens.ts";

/** The address could not be listened on. */
export class ServeError extends Error {
  override name = "ServeError";
}

export type ServeOptions = {
  /** Without a host: all interfaces. Port 0 lets the system choose. */
  address: { host?: string | undefined; port: number };
  windows: ReceiveWindows;
  /** Largest message that is taken. */
  maxMessageBytes: number;
  /** Calls of one connection at the same time; default 100. */
  maxCallsPerConnection?: number;
  /** Calls of all connections together; default 256. */
  maxCalls?: number;
  /** Connections at the same time; default 256. Those that nobody was let in on make room for new ones. */
  maxConnections?: number;
  /** What to show and whom to believe, asked at each new connection. Without it nothing is encrypted. */
  tls?: (() => Promise<ServerTls>) | undefined;
  /**
   * The tokens of which each call must bring one, asked at each call, and for as long as it lasts. Without it none is
   * asked for.
   */
  tokens?: (() => Promise<readonly string[]>) | undefined;
  /** How often it is looked whether the tokens of calls under way were withdrawn; default 10 s. */
  recheckTokensMs?: number;
  /** A connection or a call was refused. Called as often as somebody knocks. */
  onRefused?: (refusal: Rejection) => void;
  /** A connection that does not answer a ping for as long again is dead; default 20 s. */
  keepaliveMs?: number;
};

export type Serving = AsyncDisposable & { readonly name: string; readonly port: number };

/** How long calls under way get when the listener closes. */
const closingMs = 1000;

const connectionsAtMost = 256;
const callsAtMost = 256;

const mebibyte = 1024 * 1024;

/**
 * Answers the QbSync service on a TCP port, with receive windows opened, and only to those who may call it.
 *
 * @throws ServeError when the port is taken or may not be used
 */
export async function serveQbSync(implementation: QbSyncServer, options: ServeOptions): Promise<Serving> {
  const { keepaliveMs = 20_000, onRefused = () => {}, tls, tokens, windows } = options;
  // What goes wrong is thrown; grpc-js would print it as well.
  setLogVerbosity(logVerbosity.NONE);
  const accepted = tokens && new BearerTokens(tokens);
  const admitted = new Set<AdmittedCall>();
  const connection = (peer: string) => gate.connection(peer);
  const guard = admitCalls({
    connection,
    accepted,
    admitted,
    callsAtMost: options.maxCalls ?? callsAtMost,
    onRefused,
  });
  const server = new Server({
    interceptors: [guard],
    "grpc.max_receive_message_length": options.maxMessageBytes,
    "grpc.max_concurrent_streams": options.maxCallsPerConnection ?? 100,
    "grpc.keepalive_time_ms": keepaliveMs,
    "grpc.keepalive_timeout_ms": keepaliveMs,
    // In MB: what a connection may make Node hold beside its window, such as answers that nobody reads.
    "grpc-node.max_session_memory": 64 + Math.ceil(windows.connectionBytes / mebibyte),
  });
  server.addService(QbSyncService, implementation);
  // TLS ends at the gate; what comes through is HTTP/2 either way.
  const http2 = server.createConnectionInjector(ServerCredentials.createInsecure());
  const gate: Gate = await openGate({
    address: options.address,
    connectionsAtMost: options.maxConnections ?? connectionsAtMost,
    tls,
    take: (socket) => http2.injectConnection(socket),
    onRefused,
  });
  const listeners = new DisposableStack();
  listeners.use(openReceiveWindows(gate.port, windows));
  listeners.use(outliveBrokenStreams(gate.port));
  const { recheckTokensMs: everyMs = 10_000 } = options;
  if (accepted !== undefined)
    listeners.use(endWithdrawn({ accepted, admitted, connection, onRefused, everyMs }));
  return {
    name: "QbSync listener",
    port: gate.port,
    async [Symbol.asyncDispose]() {
      gate.stopListening();
      await close(server, gate);
      listeners.dispose();
    },
  };
}

async function openGate(options: Parameters<typeof Gate.open>[0]): Promise<Gate> {
  const { host = "", port } = options.address;
  try {
    return await Gate.open(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ServeError(`listening on ${host}:${port}: ${why}`, { cause });
  }
}

/** Lets calls under way end, and cuts them off when their time is over. */
async function close(server: Server, gate: Disposable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.tryShutdown(() => resolve());
  const timer = setTimeout(() => {
    server.forceShutdown();
    // grpc-js waits for ever for a session that broke in the moment in which it began.
    resolve();
  }, closingMs);
  await promise;
  clearTimeout(timer);
  gate[Symbol.dispose]();
}
