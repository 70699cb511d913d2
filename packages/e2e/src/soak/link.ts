import { freePort } from "@qbit-sidecars/testing";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A wire between clients and one port of this machine, which can be cut. */
export class Link implements AsyncDisposable {
  readonly port: number;
  readonly #to: number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #server: Server | undefined;
  #isSilent = false;

  private constructor(port: number, to: number) {
    this.port = port;
    this.#to = to;
  }

  static async to(port: number): Promise<Link> {
    const link = new Link(await freePort(), port);
    await link.#listen();
    return link;
  }

  /**
   * "refuse": connections are reset, and new ones refused, as by a router that knows. "silence": nothing arrives any
   * more and nobody is told, as behind a cable that was pulled.
   */
  async cut(how: "refuse" | "silence"): Promise<void> {
    if (how === "silence") {
      this.#isSilent = true;
      for (const pair of this.#pairs) for (const socket of pair) socket.pause();
      return;
    }
    await this.#refuse();
  }

  /** New connections work again. What was silent for a while is reset, as a router that has forgotten it does. */
  async mend(): Promise<void> {
    this.#isSilent = false;
    this.#reset();
    await this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#refuse();
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) =>
      this.#join(client),
    );
    server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  async #refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    this.#reset();
    await closed;
  }

  #reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#to, host: "127.0.0.1", allowHalfOpen: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const part = () => {
      this.#pairs.delete(pair);
      for (const socket of pair) if (!socket.destroyed) socket.resetAndDestroy();
    };
    client.pipe(server);
    server.pipe(client);
    for (const socket of pair) socket.setNoDelay(true).on("error", part).on("close", part);
    if (this.#isSilent) for (const socket of pair) socket.pause();
  }
}
