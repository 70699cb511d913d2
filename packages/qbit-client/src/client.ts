import { AppApi } from "./app.ts";
import type { AuthSource } from "./auth.ts";
import { Caller, type CallOptions } from "./call.ts";
import { Capabilities } from "./capabilities.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { QbitEvent } from "./events.ts";
import { type Probe, probe } from "./probe.ts";
import { Transport } from "./request.ts";
import { type RawAnswer, type RawRequest, sendRaw } from "./raw.ts";
import { Session } from "./session.ts";
import { AuthApi } from "./auth-api.ts";
import { LogApi } from "./log.ts";
import { dateRequest } from "./login.ts";
import { SyncApi } from "./sync.ts";
import { SingleFlight } from "./single-flight.ts";
import { TorrentsApi } from "./torrents.ts";
import { TransferApi } from "./transfer.ts";

export interface QbitClientOptions {
  /** The Web UI's URL, with its sub-path if it has one: `http://127.0.0.1:8080`, `https://nas/qbittorrent`. */
  url: string;
  /** Default `{ kind: "none" }`: qBittorrent bypasses authentication for this address. */
  auth?: AuthSource | undefined;
  /** For each request, connecting included. Default 10 s. */
  timeoutMs?: number | undefined;
  /** PEM of the authority (or the self-signed certificate) to trust instead of the system's. */
  ca?: string | undefined;
  /** Accept any certificate. */
  insecureSkipVerify?: boolean | undefined;
  /** Sent with every request, for a proxy in front. `Origin` and `Referer` are refused: qBittorrent's CSRF check. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How long to send no login once qBittorrent has banned this address. Default 1 h, which is its own default. */
  banMs?: number | undefined;
  clock?: Clock | undefined;
  onEvent?: ((event: QbitEvent) => void) | undefined;
}

/**
 * A client of one qBittorrent, 4.1 to 5.3. Nothing is sent until the first call. Safe for concurrent use; share
 * one instance, because each instance is a session of its own in qBittorrent.
 */
export class QbitClient {
  readonly auth: AuthApi;
  readonly app: AppApi;
  readonly log: LogApi;
  readonly sync: SyncApi;
  readonly transfer: TransferApi;
  readonly torrents: TorrentsApi;
  /** The client's clock, for helpers that wait on its behalf. */
  readonly clock: Clock;
  readonly #transport: Transport;
  readonly #session: Session;
  readonly #caller: Caller;
  readonly #asking = new SingleFlight<Capabilities>();
  #known: Capabilities | undefined;

  constructor(options: QbitClientOptions) {
    const { headers = {}, onEvent = () => {} } = options;
    this.clock = options.clock ?? systemClock;
    this.#transport = new Transport({
      url: baseUrl(options.url),
      timeoutMs: options.timeoutMs ?? 10_000,
      ca: options.ca,
      insecureSkipVerify: options.insecureSkipVerify,
      headers: checkHeaders(headers),
    });
    this.#session = new Session({
      transport: this.#transport,
      auth: options.auth ?? { kind: "none" },
      clock: this.clock,
      banMs: options.banMs ?? 3_600_000,
      basicHeader: Object.keys(headers).some((name) => name.toLowerCase() === "authorization"),
      onEvent,
      onNewLife: () => {
        this.#known = undefined;
      },
    });
    this.#caller = new Caller(this.#session, {
      capabilities: async (call) => await this.capabilities(call),
      clock: this.clock,
    });
    this.app = new AppApi(this.#caller);
    this.transfer = new TransferApi(this.#caller);
    this.auth = new AuthApi(this.#caller, this.#session);
    this.sync = new SyncApi(this.#caller);
    this.log = new LogApi(this.#caller);
    this.torrents = new TorrentsApi(this.#caller);
  }

  /** Versions of this qBittorrent. Asked once, and again after a connection or a session was lost. */
  async capabilities(options: CallOptions = {}): Promise<Capabilities> {
    return this.#known ?? (await this.#asking.run(async () => await this.#askVersions(), options.signal));
  }

  /** Finds out whether qBittorrent can be used, and if not says why in one sentence. Never throws a QbitError. */
  async probe(options: CallOptions = {}): Promise<Probe> {
    this.#known = undefined;
    return await probe(this, options);
  }

  /**
   * qBittorrent's own time, as the Date header of an answer tells it, with a precision of a second. Needs no login and
   * sends none. Undefined where it does not tell.
   */
  async date({ signal, timeoutMs }: CallOptions = {}): Promise<string | undefined> {
    const { headers } = await this.#transport.send({ ...dateRequest(), signal, timeoutMs });
    return headers.date;
  }

  /** For what this client has no method for: any endpoint, any answer, with the session's login. */
  async raw(request: RawRequest): Promise<RawAnswer> {
    return await sendRaw(this.#session, request);
  }

  /** Closes the connections. Calls under way fail; the session in qBittorrent stays until it expires. */
  close(): void {
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #askVersions(): Promise<Capabilities> {
    const webApi = await this.#version("app/webapiVersion");
    const app = await this.#version("app/version");
    this.#known = new Capabilities({ app, webApi });
    this.#session.checkKeyIsKnown(this.#known);
    return this.#known;
  }

  async #version(endpoint: "app/version" | "app/webapiVersion"): Promise<string> {
    const answer = await this.#caller.call(endpoint);
    const version = answer.text().trim();
    if (!/^v?\d+\.\d+[^\s<]{0,30}$/.test(version)) throw answer.unusable("not a version");
    return version;
  }
}

function baseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError("the URL of qBittorrent must be like http://127.0.0.1:8080");
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("the URL of qBittorrent must not hold user and password: give them separately");
  }
  url.search = "";
  url.hash = "";
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}

function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  if (lowerCase.some(([name]) => name === "origin" || name === "referer")) {
    throw new TypeError(
      "Origin and Referer must not be sent: qBittorrent's CSRF protection would refuse the request",
    );
  }
  return Object.fromEntries(lowerCase);
}
