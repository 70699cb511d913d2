import { setTimeout as delay } from "node:timers/promises";
import { insert, newTorrent } from "./add-torrent.ts";
import type { Json } from "./answers.ts";
import { removeTorrent } from "./api-torrents-run.ts";
import { ban } from "./auth.ts";
import { Calls } from "./calls.ts";
import { Faults } from "./faults.ts";
import { type TorrentSpec, madeUpTorrent, pinFields } from "./made-up-torrents.ts";
import { answer } from "./model.ts";
import { applyDuePreferences, applyPreferences, isListening } from "./preferences.ts";
import { type FakeVersion, profileOf } from "./profiles.ts";
import { seededRandom } from "./random.ts";
import { redirectTo } from "./redirect.ts";
import { findTorrent } from "./select-torrents.ts";
import { FakeServer } from "./server.ts";
import { showTorrent } from "./show-torrent.ts";
import { initialState } from "./initial-state.ts";
import type { FakeClockLike, FakeQbittorrentOptions } from "./options.ts";
import type { FakeState } from "./state.ts";
import type { Fields } from "./sync.ts";

const systemClock: FakeClockLike = {
  now: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal && { signal }),
};

/**
 * Starts a qBittorrent that is none: the Web API of one version over a state in memory, on a loopback port, with
 * faults on demand. What it answers is compared with the real program by `fake-and-real-agree.contract.test.ts`.
 */
export async function startFakeQbittorrent(options: FakeQbittorrentOptions = {}): Promise<FakeQbittorrent> {
  const clock = options.clock ?? systemClock;
  const random = seededRandom(options.seed ?? 1);
  const state = initialState(profileOf(options.version ?? "5.3.0"), {
    ...options,
    now: () => clock.now(),
    random,
  });
  const fake = new FakeQbittorrent(state, clock, options);
  await fake.up();
  return fake;
}

export class FakeQbittorrent implements AsyncDisposable {
  readonly version: FakeVersion;
  readonly faults = new Faults();
  readonly calls = new Calls();
  #state: FakeState;
  #server: FakeServer;
  #basePath: string;
  #redirect: (AsyncDisposable & { url: string }) | undefined;
  #redirectsFromHttp: boolean;

  constructor(state: FakeState, clock: FakeClockLike, options: FakeQbittorrentOptions) {
    const { profile } = state;
    this.version = profile.app;
    this.#state = state;
    this.#basePath = options.basePath ?? "";
    this.#redirectsFromHttp = options.https?.redirectFromHttp ?? false;
    this.#server = new FakeServer({
      https: options.https,
      basePath: this.#basePath,
      textType: profile.has("charsetInText") ? "text/plain; charset=UTF-8" : "text/plain",
      unknownMethodStatus: profile.has("unknownMethodIs501") ? 501 : 400,
      onRequest: (request, name) => {
        this.calls.record({ method: request.method, name, params: request.params, at: clock.now() });
        return this.faults.take(name);
      },
      answer: (request) => answer(state, request),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    });
  }

  /** Base URL, without a slash at the end. */
  get url(): string {
    return `${this.#state.isHttps ? "https" : "http"}://127.0.0.1:${this.port}${this.#basePath}`;
  }

  /** With `https.redirectFromHttp`: the URL that redirects to `url`. */
  get httpUrl(): string {
    if (this.#redirect === undefined)
      throw new Error("asking for the redirecting URL: https.redirectFromHttp is not set");
    return this.#redirect.url;
  }

  /** Port of the Web API; kept while it is down. */
  get port(): number {
    return this.#state.webPort;
  }

  /** Settings as `app/preferences` shows them. */
  get preferences(): Readonly<Record<string, Json>> {
    applyDuePreferences(this.#state);
    return this.#state.preferences;
  }

  /** As a user in the WebUI would: the rules of `app/setPreferences` hold, without its delay. */
  setPreferences(changes: Record<string, Json>): void {
    applyPreferences(this.#state, changes);
  }

  /** qBittorrent listens for peers on its port. */
  get isListening(): boolean {
    applyDuePreferences(this.#state);
    return isListening(this.#state);
  }

  /** Stops listening for peers without anyone telling: setting the same port again does not help, another one does. */
  becomeDeaf(): void {
    this.#state.isDeaf = true;
  }

  /** Peers came in: `connection_status` is "connected" while it listens. */
  set hasIncomingConnections(value: boolean) {
    this.#state.hasIncoming = value;
  }

  /** Values for `transfer/info` and `server_state`, e.g. speeds. */
  setTransfer(values: Record<string, Json>): void {
    Object.assign(this.#state.transfer, values);
  }

  /** The torrents as `torrents/info` shows them. */
  get torrents(): Fields[] {
    return [...this.#state.torrents.values()].map((torrent) => showTorrent(this.#state, torrent));
  }

  /** @returns its id */
  addTorrent(spec: TorrentSpec = {}): string {
    const { metainfo, params, fields } = madeUpTorrent(this.#state, spec);
    const torrent = newTorrent(this.#state, metainfo, params);
    insert(this.#state, torrent);
    pinFields(this.#state, torrent, fields);
    return torrent.id;
  }

  /** Changes what is shown of a torrent, under the names of `torrents/info`; `state` holds until it is started or stopped. */
  updateTorrent(id: string, fields: Record<string, Json>): void {
    const torrent = findTorrent(this.#state, id);
    if (torrent === undefined) throw new Error(`updating a torrent of the fake: there is no ${id}`);
    pinFields(this.#state, torrent, fields);
  }

  /** Puts whole files on the disk, by absolute paths; a torrent notices when it is added, started or rechecked. */
  putFiles(paths: Iterable<string>): void {
    for (const path of paths) this.#state.disk.add(path);
  }

  removeTorrent(id: string): void {
    removeTorrent(this.#state, id);
  }

  /** How many sessions are open. */
  get sessions(): number {
    return this.#state.sessions.size;
  }

  /** Every cookie is worthless from now on. */
  dropSessions(): void {
    this.#state.sessions.clear();
  }

  /** Bans clients on the loopback address, as too many wrong passwords do. */
  ban(): void {
    const failed = { count: 5, bannedUntil: 0 };
    ban(this.#state, failed);
    this.#state.failedLogins.set("127.0.0.1", failed);
  }

  /** Connections are refused. */
  async down(): Promise<void> {
    await this.#redirect?.[Symbol.asyncDispose]();
    this.#redirect = undefined;
    await this.#server.down();
  }

  /** On the same port as before. */
  async up(): Promise<void> {
    if (this.#server.isUp) return;
    this.#state.webPort = await this.#server.up(this.#state.webPort);
    if (this.#redirectsFromHttp) this.#redirect = await redirectTo(this.url);
  }

  /** Torrents and settings stay; sessions, bans, the log and what was counted since the start are gone. */
  async restart(): Promise<void> {
    await this.down();
    const state = this.#state;
    state.sessions.clear();
    state.failedLogins.clear();
    state.log = [];
    state.isDeaf = false;
    state.hasIncoming = false;
    state.transfer = {};
    await this.up();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }
}
