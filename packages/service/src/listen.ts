import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";

import type { Address } from "@qbit-sidecars/config";

import { errorCode } from "./error-code.ts";

export type Listener = AsyncDisposable & {
  readonly name: string;
  readonly port: number;
  readonly url: string;
};

/** The listener could not be opened; the message names the setting to change. */
export class ListenError extends Error {
  override name = "ListenError";
}

/** Requests under way get this long when the listener closes. */
const CLOSING_MS = 1000;

/** Starts an HTTP listener with bounds fit for probes. Disposing it lets requests under way end. */
export async function listen(options: {
  name: string;
  address: Address;
  /** How the user sets the address, as in "--health-addr or HEALTH_ADDR". */
  setting: string;
  handle: RequestListener;
}): Promise<Listener> {
  const { name, address, setting, handle } = options;
  const server = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: 5000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5000,
      // Node looks for overdue requests only every 30 s, in which slow clients could keep every probe out.
      connectionsCheckingInterval: 5000,
    },
    handle,
  );
  server.maxConnections = 100;
  await opened(server, address, setting);
  const bound = server.address();
  // Never a text: that is the path of a Unix socket.
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  const url = `http://${urlHost(address.host)}:${port}`;
  return { name, port, url, [Symbol.asyncDispose]: () => close(server) };
}

function opened(server: Server, { host, port }: Address, setting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Not once: an error after the start is that of a single connection and must not end the process.
    server.on("error", (cause: NodeJS.ErrnoException) => {
      reject(listenError(cause, { at: `${host ?? ""}:${port}`, setting }));
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  });
}

/** Why an address cannot be listened on, in words, for whoever opens a listener of another kind. */
export function listenError(cause: unknown, { at, setting }: { at: string; setting: string }): ListenError {
  return new ListenError(`listening on ${at} (set by ${setting}): ${explain(cause)}`, { cause });
}

const EXPLANATIONS = new Map([
  ["EADDRINUSE", "another program uses this port"],
  ["EACCES", "ports below 1024 need a privilege that this program does not have"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
]);

function explain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return EXPLANATIONS.get(errorCode(cause) ?? "") ?? cause.message;
}

function urlHost(host: string | undefined): string {
  if (host === undefined || host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

async function close(server: Server): Promise<void> {
  // Closes connections that wait for a next request as well.
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const timer = setTimeout(() => server.closeAllConnections(), CLOSING_MS);
  await closed;
  clearTimeout(timer);
}
