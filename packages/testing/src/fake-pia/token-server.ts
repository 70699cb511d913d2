import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Certificate } from "../certificate.ts";
import { Faults } from "../fake-qbittorrent/faults.ts";
import { meetFault } from "./meet-fault.ts";
import type { PiaAnswer } from "./model.ts";

/** `POST /api/client/v2/token`, which takes its form multipart (as curl --form) or urlencoded. */
export type TokenServer = AsyncDisposable & {
  readonly url: string;
  /** By "token". */
  readonly faults: Faults;
  /** How many logins were tried. */
  logins(): number;
};

const path = "/api/client/v2/token";

/** @param certificate speaks HTTPS with it; without, HTTP */
export async function startTokenServer(
  logIn: (fields: Record<string, string>) => PiaAnswer,
  certificate?: Certificate,
): Promise<TokenServer> {
  const faults = new Faults();
  let logins = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== "POST") {
      response.writeHead(405).end();
      return;
    }
    const fields = await readForm(request);
    logins += 1;
    if (meetFault(faults.take("token"), response)) return;
    const isToken = request.url === path;
    const { status, body, headers } = isToken ? logIn(fields) : { status: 404, body: "", headers: {} };
    response.writeHead(status, headers).end(body);
  };
  const server = certificate ? createTlsServer(certificate) : createServer();
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate ? "https" : "http"}://127.0.0.1:${port}${path}`,
    faults,
    logins: () => logins,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readForm(request: IncomingMessage): Promise<Record<string, string>> {
  const body = new Uint8Array(await buffer(request));
  const headers = { "content-type": request.headers["content-type"] ?? "" };
  const form = await new Response(body, { headers }).formData();
  return Object.fromEntries(
    [...form].flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
