import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SuddenServer } from "../sudden-server.ts";
import type { Answer } from "./answers.ts";
import type { Fault } from "./faults.ts";
import type { FakeRequest } from "./model.ts";
import { readRequest } from "./read-request.ts";

export type ServerPlan = {
  https: { key: string; cert: string } | undefined;
  /** Stripped from the path, as a reverse proxy does. "" for none. */
  basePath: string;
  /** "text/plain" as the version writes it. */
  textType: string;
  /** For methods that are neither GET, HEAD nor POST. */
  unknownMethodStatus: number;
  /** The request arrived: to be recorded, and to say what goes wrong with it. */
  onRequest(request: FakeRequest, name: string): Fault | undefined;
  answer(request: FakeRequest): Answer;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
};

/** The HTTP side of the fake: it reads requests, lets faults happen, and writes what the model answers. */
export class FakeServer {
  #plan: ServerPlan;
  readonly #server = new SuddenServer(() => this.#listener());
  #stopping = new AbortController();

  constructor(plan: ServerPlan) {
    this.#plan = plan;
  }

  get isUp(): boolean {
    return this.#server.server !== undefined;
  }

  /** @param port 0 for any @returns the port */
  async up(port: number): Promise<number> {
    await this.#server.up({ port });
    this.#stopping = new AbortController();
    return this.#server.port;
  }

  /** Nobody listens any more; open connections are reset. */
  async down(): Promise<void> {
    if (!this.isUp) return;
    this.#stopping.abort(new Error("the fake qBittorrent went down"));
    await this.#server.down();
    // Clients in this process see their connections break before anything else happens.
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }

  #listener(): Server {
    const { https } = this.#plan;
    const listener = (message: IncomingMessage, response: ServerResponse) =>
      void this.#serve(message, response);
    const server = https ? createTlsServer(https, listener) : createServer(listener);
    // qBittorrent closes idle connections after 7 s.
    server.keepAliveTimeout = 7000;
    return server;
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#respond(message, response);
    } catch (error) {
      // A client that went away, or `down`: there is nobody to answer. Anything else is a mistake in the fake.
      if (message.destroyed || this.#stopping.signal.aborted) return;
      response
        .writeHead(500, { "content-type": "text/plain" })
        .end(`the fake qBittorrent failed: ${String(error)}`);
    }
  }

  async #respond(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { basePath, unknownMethodStatus } = this.#plan;
    if (!["GET", "HEAD", "POST"].includes(message.method ?? "")) return hangUp(response, unknownMethodStatus);
    const path = message.url ?? "/";
    if (!path.startsWith(basePath)) return hangUp(response, 404);
    const request = await readRequest(message, path.slice(basePath.length) || "/");
    if (request === undefined) return hangUp(response, 400);
    const fault = this.#plan.onRequest(request, request.path.replace(/^\/api\/v2\//, ""));
    await this.#meet(fault, request, response);
  }

  async #meet(fault: Fault | undefined, request: FakeRequest, response: ServerResponse): Promise<void> {
    if (fault === undefined) return this.#write(response, this.#plan.answer(request));
    if (fault.kind === "latency") {
      await this.#plan.sleep(fault.ms, this.#stopping.signal);
      return this.#write(response, this.#plan.answer(request));
    }
    const isApplied = fault.applied ?? fault.kind === "truncated";
    const answered = isApplied ? this.#plan.answer(request) : undefined;
    if (fault.kind === "reset") response.socket?.resetAndDestroy();
    if (fault.kind === "truncated") this.#writeHalf(response, answered);
    if (fault.kind === "answer") {
      response
        .writeHead(fault.status, { "content-type": "text/html", ...fault.headers })
        .end(fault.body ?? "");
    }
  }

  #write(response: ServerResponse, answer: Answer): void {
    response.writeHead(answer.status, this.#headers(answer)).end(answer.body);
  }

  #writeHalf(response: ServerResponse, answer: Answer = { status: 200, body: "{}" }): void {
    const bytes = Buffer.from(answer.body);
    response.writeHead(answer.status, this.#headers(answer));
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.socket?.resetAndDestroy());
  }

  #headers({ body, contentType, headers }: Answer): Record<string, string | number> {
    return {
      "content-length": Buffer.byteLength(body),
      ...(contentType && { "content-type": contentType === "text" ? this.#plan.textType : contentType }),
      ...headers,
    };
  }
}

function hangUp(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-length": 0, connection: "close" }).end();
}
