import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Address, formatAddress } from "@qbit-sidecars/config";
import { listenError } from "@qbit-sidecars/service";
import { readHashes } from "./resolve-hash.ts";
import type { TrackOutcome } from "./watch-downloads.ts";

/** What hooks make happen. */
type Hooked = {
  track(ref: string, options: { finished: boolean }): TrackOutcome;
  /** There is a new torrent, and the hook could not say which. */
  scan(): void;
};

export type TrackServerOptions = { address: Address; token: string | undefined; hooked: Hooked };

export type TrackServer = AsyncDisposable & { readonly url: string; readonly name: string };

type Answer = { status: number; text: string };

/**
 * Serves POST /track and POST /done for qBittorrent's hooks, with the seed's answers: plain text, and Go's line break
 * after an error. A hook's URL holds everything; bodies are not read.
 *
 * @throws ListenError when the address cannot be listened on
 */
export async function startTrackServer(options: TrackServerOptions): Promise<TrackServer> {
  const { address } = options;
  const server = createServer(
    { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000 },
    (request, response) => send(request, response, answer(request, options)),
  );
  // A storm of hooks is one connection each, some milliseconds apart; one that is turned away is not repeated.
  server.maxConnections = 2000;
  await new Promise<void>((resolve, reject) => {
    const at = formatAddress(address);
    server.on("error", (cause) => reject(listenError(cause, { at, setting: "LISTEN_ADDR" })));
    server.listen(
      { port: address.port, ...(address.host === undefined ? {} : { host: address.host }) },
      resolve,
    );
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = server.address() as AddressInfo;
  return {
    name: "track server",
    url: `http://${address.host === undefined || address.host === "0.0.0.0" ? "127.0.0.1" : address.host}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(request: IncomingMessage, { token, hooked }: TrackServerOptions): Answer {
  const [path = "/", search = ""] = (request.url ?? "/").split("?", 2);
  const query = new URLSearchParams(search);
  if (path !== "/track" && path !== "/done") return { status: 404, text: "404 page not found\n" };
  if (request.method !== "POST") return { status: 405, text: "Method Not Allowed\n" };
  // Browsers send it with every POST to another site; hooks never do.
  if (request.headers.origin !== undefined) return { status: 403, text: "Forbidden to web pages\n" };
  if (token !== undefined && !isAuthorized(request, query, token))
    return { status: 401, text: "Unauthorized\n" };
  const said = readHashes(query);
  const given = query.get("hash") ?? query.get("id") ?? query.get("v2") ?? "";
  if (given === "") return { status: 400, text: "Missing hash param\n" };
  if (!said.ok) return { status: 400, text: "Invalid hash param: 40 or 64 hex digits are one\n" };
  const finished = path === "/done";
  if (said.ref === undefined) {
    hooked.scan();
    return { status: 202, text: "No v1 infohash: looking for new torrents" };
  }
  const outcome = hooked.track(said.ref, { finished });
  const shown = given === "-" ? said.ref : given;
  if (outcome === "full") return { status: 503, text: "Too many torrents are tracked\n" };
  if (finished) return { status: 200, text: `Looking at ${shown}` };
  return {
    status: 200,
    text: `${outcome === "already" ? "Already tracking" : "Tracking started for"} ${shown}`,
  };
}

function isAuthorized(request: IncomingMessage, query: URLSearchParams, token: string): boolean {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const given = Buffer.from(bearer ?? query.get("token") ?? "");
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function send(request: IncomingMessage, response: ServerResponse, { status, text }: Answer): void {
  // Whatever a client sends along is thrown away, and not more than a little of it.
  request.resume();
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "x-content-type-options": "nosniff",
    ...(status === 405 ? { allow: "POST" } : {}),
    ...(Number(request.headers["content-length"] ?? 0) > 0 || request.headers["transfer-encoding"]
      ? { connection: "close" }
      : {}),
  });
  response.end(text);
}
