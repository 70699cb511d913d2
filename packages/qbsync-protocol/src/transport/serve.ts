import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { type QbSyncServer, QbSyncService } from "../gen/qbit_sidecars/qbsync/v1/qbsync.ts";
import { openReceiveWindows, type ReceiveWindows } from "./receive-windows.ts";

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
  credentials?: ServerCredentials;
  /** A connection that does not answer a ping for as long again is dead; default 20 s. */
  keepaliveMs?: number;
};

export type Serving = AsyncDisposable & { readonly name: string; readonly port: number };

/** How long calls under way get when the listener closes. */
const closingMs = 1000;

/**
 * Answers the QbSync service on a TCP port, with receive windows opened.
 *
 * @throws ServeError when the port is taken or may not be used
 */
export async function serveQbSync(implementation: QbSyncServer, options: ServeOptions): Promise<Serving> {
  const { credentials = ServerCredentials.createInsecure(), keepaliveMs = 20_000 } = options;
  // What goes wrong is thrown; grpc-js would print it as well.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    "grpc.max_receive_message_length": options.maxMessageBytes,
    "grpc.max_concurrent_streams": options.maxCallsPerConnection ?? 100,
    "grpc.keepalive_time_ms": keepaliveMs,
    "grpc.keepalive_timeout_ms": keepaliveMs,
  });
  server.addService(QbSyncService, implementation);
  const port = await bind(server, options.address, credentials);
  const windows = openReceiveWindows(port, options.windows);
  return {
    name: "QbSync listener",
    port,
    async [Symbol.asyncDispose]() {
      await close(server);
      windows[Symbol.dispose]();
    },
  };
}

async function bind(
  server: Server,
  { host, port }: ServeOptions["address"],
  credentials: ServerCredentials,
): Promise<number> {
  // As Node's own servers do: both kinds of addresses, or the older one where the machine has no IPv6.
  const hosts = host === undefined ? ["[::]", "0.0.0.0"] : [host.includes(":") ? `[${host}]` : host];
  const failures: Error[] = [];
  for (const each of hosts) {
    const { promise, resolve } = Promise.withResolvers<number | Error>();
    server.bindAsync(`${each}:${port}`, credentials, (error, bound) => resolve(error ?? bound));
    const result = await promise;
    if (typeof result === "number") return result;
    failures.push(result);
  }
  const { message } = failures[0] ?? new Error("no address");
  throw new ServeError(`listening on ${host ?? ""}:${port}: ${message}`, { cause: failures[0] });
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  const timer = setTimeout(() => server.forceShutdown(), closingMs);
  await closed;
  clearTimeout(timer);
}
