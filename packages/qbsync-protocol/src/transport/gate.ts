import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";

/** What a server shows, and whose client certificates it believes; PEM texts. */
export type ServerTls = {
  cert: string;
  key: string;
  /** Once given, every client needs a certificate that one of these authorities signed. */
  clientCa?: string | undefined;
};

export type Rejection = {
  /** Few and fixed, so that it may be a metric's label. */
  reason:
    | "client_certificate"
    | "no_token"
    | "plaintext"
    | "tls_handshake"
    | "tls_not_spoken"
    | "token_withdrawn"
    | "too_many_calls"
    | "too_many_connections"
    | "wrong_token";
  /** Address and port of who was refused. */
  peer: string;
  /** For people on both sides: what is wrong and what to do. */
  detail: string;
};

/** One connection, from its first byte on. */
export type GuardedConnection = {
  /** Why no call of it is answered; undefined where nothing is wrong with the connection itself. */
  readonly refusal: Rejection | undefined;
  /** A call was let in: the connection may stay. */
  admit(): void;
  close(): void;
};

type GateOptions = {
  address: { host?: string | undefined; port: number };
  connectionsAtMost: number;
  /**
   * Asked at each new connection, so that a renewed certificate needs no restart; the same object as long as nothing
   * has changed. Without it connections are not encrypted.
   */
  tls?: (() => Promise<ServerTls>) | undefined;
  /** Speaks HTTP/2 with a client; everything about it that can be refused is in `connection`. */
  take: (socket: Duplex) => void;
  onRefused: (refusal: Rejection) => void;
};

/** Who has had no call let in for so long after connecting is a stranger, and has to go. */
const strangerMs = 10_000;

/** The first byte of every TLS connection: a handshake record. */
const tlsRecord = 0x16;

/**
 * The TCP port: every connection passes here before HTTP/2 sees it. It tells TLS from clear text by the first byte,
 * so that whoever mixes them up is answered in words rather than with a broken connection, and it bounds what
 * strangers can hold: connections that nobody was let in on end after 10 s, and are the first to go when there are
 * too many.
 */
export class Gate implements Disposable {
  readonly #options: GateOptions;
  readonly #server: Server;
  readonly #tls: TlsServer | undefined;
  #shown: ServerTls | undefined;
  /** By address and port of the client; in the order of arrival. */
  readonly #connections = new Map<string, Connection>();
  /** TLS connections that are not secured yet. */
  readonly #shakingHands = new Set<Connection>();

  private constructor(options: GateOptions, shown: ServerTls | undefined) {
    this.#options = options;
    this.#shown = shown;
    this.#tls = shown && this.#makeTls(shown);
    this.#server = createServer({ noDelay: true }, (socket) => this.#arrived(socket));
  }

  /** @throws NodeJS.ErrnoException when the port is taken or may not be used */
  static async open(options: GateOptions): Promise<Gate> {
    const gate = new Gate(options, await options.tls?.());
    await listen(gate.#server, options.address);
    return gate;
  }

  get port(): number {
    const bound = this.#server.address();
    // Never a text: that is the path of a Unix socket.
    return typeof bound === "object" && bound !== null ? bound.port : this.#options.address.port;
  }

  /** @param peer as grpc-js names it: address, colon, port */
  connection(peer: string): GuardedConnection | undefined {
    return this.#connections.get(peer);
  }

  /** No more connections come; those that are open stay. */
  stopListening(): void {
    this.#server.close();
  }

  /** Ends what is open. */
  [Symbol.dispose](): void {
    this.#server.close();
    for (const connection of this.#connections.values()) connection.close();
  }

  #arrived(socket: Socket): void {
    socket.on("error", () => {});
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    if (this.#connections.size >= this.#options.connectionsAtMost && !this.#makeRoom(peer)) {
      socket.destroy();
      return;
    }
    const connection = new Connection(peer, socket);
    this.#connections.set(peer, connection);
    socket.once("close", () => {
      connection.forget();
      this.#connections.delete(peer);
    });
    whenFirstByte(socket, (first) => void this.#begin(connection, first));
  }

  /** @returns whether a stranger was put out for it */
  #makeRoom(peer: string): boolean {
    const stranger = [...this.#connections.values()].find(({ isAdmitted }) => !isAdmitted);
    const most = this.#options.connectionsAtMost;
    const detail = `${most} connections are open${stranger ? "; the oldest that had no call let in was closed" : ""}`;
    this.#options.onRefused({ reason: "too_many_connections", peer: stranger?.peer ?? peer, detail });
    if (stranger === undefined) return false;
    this.#connections.delete(stranger.peer);
    stranger.close();
    return true;
  }

  async #begin(connection: Connection, first: number): Promise<void> {
    const { socket, peer } = connection;
    const isTls = first === tlsRecord;
    if (this.#tls !== undefined && isTls) {
      await this.#renew(this.#tls);
      if (socket.destroyed) return;
      this.#shakingHands.add(connection);
      // Kept for a moment: the handshake may be told to have failed right after its connection has gone.
      socket.once("close", () => setImmediate(() => this.#shakingHands.delete(connection)));
      this.#tls.emit("connection", socket);
      return;
    }
    if (this.#tls !== undefined) connection.refuse({ reason: "plaintext", peer, detail: plaintextDetail });
    // A client that speaks TLS makes nothing of the HTTP/2 it is answered with, and says "wrong version number".
    if (this.#tls === undefined && isTls)
      this.#options.onRefused({ reason: "tls_not_spoken", peer, detail: tlsNotSpokenDetail });
    this.#options.take(socket);
  }

  async #renew(tls: TlsServer): Promise<void> {
    const now = await this.#options.tls?.();
    if (now === undefined || now === this.#shown) return;
    this.#shown = now;
    tls.setSecureContext(contextOf(now));
  }

  #makeTls(shown: ServerTls): TlsServer {
    const tls = createTlsServer({
      ...contextOf(shown),
      // Whoever has no good certificate is told so by the gRPC status of each call, and gets nothing else: a
      // handshake that fails on TLS 1.3 reaches the client as a broken connection, without a reason.
      requestCert: shown.clientCa !== undefined,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      minVersion: "TLSv1.2",
      handshakeTimeout: strangerMs,
    });
    tls.on("secureConnection", (socket) => this.#secured(socket));
    tls.on("tlsClientError", (error, socket) => {
      const peer = socket.remoteAddress === undefined ? this.#whoLeft() : peerOf(socket);
      this.#options.onRefused({ reason: "tls_handshake", peer, detail: handshakeDetail(error) });
      socket.destroy();
    });
    return tls;
  }

  /** A connection that was reset has no address any more; of those that shook hands it is one that is destroyed. */
  #whoLeft(): string {
    const left = [...this.#shakingHands].find(({ socket }) => socket.destroyed);
    if (left !== undefined) this.#shakingHands.delete(left);
    return left?.peer ?? "somebody:";
  }

  #secured(socket: TLSSocket): void {
    socket.on("error", () => {});
    const peer = peerOf(socket);
    const connection = this.#connections.get(peer);
    if (connection !== undefined) this.#shakingHands.delete(connection);
    // It went while it was being secured.
    if (connection === undefined) return void socket.destroy();
    if (this.#shown?.clientCa !== undefined && !socket.authorized)
      connection.refuse({ reason: "client_certificate", peer, detail: clientCertificateDetail(socket) });
    this.#options.take(socket);
  }
}

class Connection implements GuardedConnection {
  readonly peer: string;
  readonly socket: Socket;
  isAdmitted = false;
  refusal: Rejection | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(peer: string, socket: Socket) {
    this.peer = peer;
    this.socket = socket;
    this.#timer = setTimeout(() => socket.destroy(), strangerMs);
  }

  refuse(refusal: Rejection): void {
    this.refusal = refusal;
  }

  admit(): void {
    this.isAdmitted = true;
    clearTimeout(this.#timer);
  }

  close(): void {
    this.socket.destroy();
  }

  forget(): void {
    clearTimeout(this.#timer);
  }
}

const plaintextDetail =
  "clear text where TLS is spoken: give the source --tls or --tls-ca-file (QBSYNC_SOURCE_TLS_CA_FILE)";

const tlsNotSpokenDetail =
  "TLS where only clear text is spoken: give the destination --tls-cert-file and --tls-key-file, or take --tls and --tls-ca-file from the source";

const contextOf = ({ cert, key, clientCa }: ServerTls) => ({
  cert,
  key,
  ...(clientCa !== undefined && { ca: clientCa }),
});

const peerOf = ({ remoteAddress, remotePort }: TLSSocket): string => `${remoteAddress}:${remotePort}`;

/** What a client's alert or silence means. */
function handshakeDetail(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  const what =
    code
      .replace(/^ERR_SSL_/, "")
      .toLowerCase()
      .replaceAll("_", " ") || error.message;
  // Node's clients look at the certificate after the handshake and just leave.
  if (/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_(UNKNOWN|EXPIRED))|ECONNRESET/.test(code))
    return `it left during the TLS handshake (${what}). If that was the source, it does not believe this certificate: it needs the authority as --tls-ca-file, and the certificate must be for the name or address it dials and not out of date`;
  return `no TLS handshake: ${what}`;
}

function clientCertificateDetail(socket: TLSSocket): string {
  const needed =
    "a client certificate of the authority in the destination's --tls-client-ca-file is needed (--tls-cert-file and --tls-key-file of the source)";
  if (socket.getPeerX509Certificate() === undefined) return `no client certificate came: ${needed}`;
  const { authorizationError } = socket;
  const why = String(authorizationError);
  if (why === "CERT_HAS_EXPIRED") return "the source's client certificate is out of date: renew it";
  return `the source's client certificate is not believed (${why}): ${needed}`;
}

/** Tells the first byte, and leaves it where it is: in one chunk, since Node's HTTP/2 falls over a second one (26.10). */
function whenFirstByte(socket: Socket, tell: (first: number) => void): void {
  const look = (): void => {
    const bytes: unknown = socket.read();
    if (!(bytes instanceof Buffer) || bytes[0] === undefined) return;
    socket.off("readable", look);
    socket.unshift(bytes);
    tell(bytes[0]);
  };
  socket.on("readable", look);
}

/** As Node's own servers do: without a host both kinds of addresses, or the older one where there is no IPv6. */
function listen(server: Server, { host, port }: GateOptions["address"]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off("error", reject);
      // An error of a single connection, such as too many open files, must not end the process.
      server.on("error", () => {});
      resolve();
    });
  });
}
