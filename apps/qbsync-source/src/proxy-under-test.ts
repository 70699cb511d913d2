import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";

/** A network between two sides that can be cut, or go silent as when a cable is pulled. */
export class CuttableNetwork implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param targetPort on the loopback address */
  static async to(targetPort: number): Promise<CuttableNetwork> {
    const server = createServer();
    const network = new CuttableNetwork(server);
    server.on("connection", (near) => network.#join(near, connect(targetPort, "127.0.0.1")));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return network;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get open(): number {
    return this.#pairs.size;
  }

  /** Ends every connection at once. */
  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /**
   * What is open stays so, and nothing passes any more in either direction. New connections work.
   *
   * @param keep as many of the connections that are open, oldest first, go on
   */
  silence(keep = 0): void {
    for (const [near, far] of [...this.#pairs].slice(keep)) {
      near.unpipe(far);
      far.unpipe(near);
      near.pause();
      far.pause();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, far: Socket): void {
    const pair: [Socket, Socket] = [near, far];
    this.#pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const socket of pair) {
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
  }
}
