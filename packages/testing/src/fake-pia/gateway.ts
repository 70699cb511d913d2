import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Certificate } from "../certificate.ts";
import { Faults } from "../fake-qbittorrent/faults.ts";
import { SuddenServer } from "../sudden-server.ts";
import { meetFault } from "./meet-fault.ts";
import type { PiaAnswer, PiaRequest } from "./model.ts";
import type { PortBindings } from "./port-bindings.ts";

/** One request as a gateway saw it. */
export type GatewayCall = {
  /** Such as "bindPort". */
  name: string;
  query: Readonly<Record<string, string>>;
  /** The name the client asked for in TLS; false when it gave none. */
  servername: string | false;
  host: string;
  /** The address the client connected to. */
  address: string;
};

export type GatewayOptions = {
  /** Its address, and its name in the model. */
  address: string;
  hostname: string;
  certificate: Certificate;
  bindings: PortBindings;
  answer(request: PiaRequest): PiaAnswer;
};

/** One PIA server's port 19999, as seen from inside the tunnel. */
export class FakePiaGateway {
  readonly address: string;
  readonly hostname: string;
  readonly bindings: PortBindings;
  /** By "ping", "getSignature" and "bindPort". */
  readonly faults = new Faults();
  readonly calls: GatewayCall[] = [];
  readonly #options: GatewayOptions;
  #certificate: Certificate;
  readonly #server = new SuddenServer(() => this.#listener());

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.address = options.address;
    this.hostname = options.hostname;
    this.bindings = options.bindings;
    this.#certificate = options.certificate;
  }

  get port(): number {
    return this.#server.port;
  }

  /** Shows another certificate from the next connection on. */
  present(certificate: Certificate): void {
    this.#certificate = certificate;
    this.#server.server?.setSecureContext(certificate);
  }

  count(name: string): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  /** @param port default: the one it had, or any */
  async up(port = this.#server.port): Promise<void> {
    await this.#server.up({ port, address: this.address });
  }

  /** Nobody listens any more; open connections are reset. */
  async down(): Promise<void> {
    await this.#server.down();
  }

  #listener(): Server {
    const server = createServer(this.#certificate, (request, response) => this.#serve(request, response));
    // A client that does not like the certificate hangs up in the middle of the handshake.
    server.on("tlsClientError", () => {});
    return server;
  }

  #serve(message: IncomingMessage, response: ServerResponse): void {
    const url = new URL(message.url ?? "/", "https://gateway");
    const query = Object.fromEntries(url.searchParams);
    const name = url.pathname.slice(1);
    const socket = message.socket as TLSSocket & { servername?: string | false };
    this.calls.push({
      name,
      query,
      servername: socket.servername ?? false,
      host: message.headers.host ?? "",
      address: socket.localAddress ?? "",
    });
    if (meetFault(this.faults.take(name), response)) return;
    const { status, body, headers } = this.#options.answer({ path: url.pathname, query });
    response.writeHead(status, headers).end(body);
  }
}
