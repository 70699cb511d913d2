import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";

/** A listener that can go away as suddenly as a machine does, and come again at the same place. */
export class SuddenServer<S extends Server = Server> {
  readonly #make: () => S;
  readonly #sockets = new Set<Socket>();
  #server: S | undefined;
  #port = 0;

  /** @param make what listens, made anew for each `up` */
  constructor(make: () => S) {
    this.#make = make;
  }

  /** Undefined while it is down. */
  get server(): S | undefined {
    return this.#server;
  }

  /** The port it has, or had last; 0 before that. */
  get port(): number {
    return this.#port;
  }

  /** @param port default: the one it had, or any */
  async up({ port = this.#port, address = "127.0.0.1" } = {}): Promise<void> {
    if (this.#server !== undefined) return;
    const server = this.#make();
    for (const event of ["connection", "secureConnection"])
      server.on(event, (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on("close", () => this.#sockets.delete(socket)).on("error", () => {});
      });
    server.listen(port, address);
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Nobody listens any more; open connections are reset. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }
}
