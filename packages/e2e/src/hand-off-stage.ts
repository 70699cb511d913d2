import { QbitClient, type Torrent } from "@qbit-sidecars/qbit-client";
import {
  freePort,
  type MadeTorrent,
  makeTorrent,
  type QbittorrentVersion,
  type RunningQbittorrent,
  startQbittorrent,
  waitFor,
} from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LogLine, runApp, type RunningApp } from "./run-app.ts";

export type Side = "seedbox" | "home";

/** Who can be killed, or restarted, in the middle of a hand-off. */
export const victims = ["qbsync-source", "qbsync-destination", "seedbox", "home"] as const;
export type Victim = (typeof victims)[number];

type Environments = Record<"source" | "destination", Record<string, string>>;

const patienceMs = 90_000;

/** Tags with which qbsync-source marks what it is handing over. */
const mark = "qbsync-handing-off";

/**
 * Two real qBittorrents with both programs between them, that can be killed; and a watcher who looks all the time
 * whether anything seeds on both sides.
 */
export class HandOffStage implements AsyncDisposable {
  readonly seedbox: RunningQbittorrent;
  readonly home: RunningQbittorrent;
  readonly clients: Record<Side, QbitClient>;
  readonly lines: LogLine[] = [];
  /** Torrents that were seen seeding on both sides. */
  readonly seenTwice: string[] = [];
  /** How often the watcher has seen a side seed. */
  looks = 0;
  source: RunningApp | undefined;
  destination: RunningApp | undefined;
  readonly env: Environments;
  readonly #closers = new AsyncDisposableStack();
  readonly #listeners = new Set<(line: LogLine) => void>();
  #isOver = false;
  #made = 0;

  private constructor(sides: Record<Side, RunningQbittorrent>, env: Environments) {
    this.seedbox = sides.seedbox;
    this.home = sides.home;
    this.env = env;
    this.clients = {
      seedbox: new QbitClient({ url: sides.seedbox.url }),
      home: new QbitClient({ url: sides.home.url }),
    };
  }

  /** @param options `env`: of qbsync-source, which hands everything over at once unless told otherwise */
  static async set(
    options: { version?: QbittorrentVersion; env?: Record<string, string>; isStarted?: boolean } = {},
  ): Promise<HandOffStage> {
    const { version = "5.3.0", env = {}, isStarted = true } = options;
    const preferences = { refresh_interval: 200, queueing_enabled: false };
    await using closers = new AsyncDisposableStack();
    const [seedbox, home] = await Promise.all([
      startQbittorrent({ version, preferences }),
      startQbittorrent({ version, preferences }),
    ]);
    closers.use(seedbox);
    closers.use(home);
    const listen = `127.0.0.1:${await freePort()}`;
    const stage = new HandOffStage(
      { seedbox, home },
      {
        destination: {
          QBSYNC_DESTINATION_DATA: home.savePath,
          QBSYNC_DESTINATION_QB_URL: home.url,
          QBSYNC_DESTINATION_LISTEN: listen,
          QBSYNC_DESTINATION_HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
          QBSYNC_DESTINATION_POLL_INTERVAL: "200ms",
        },
        source: {
          QBSYNC_SOURCE_DATA: seedbox.savePath,
          QBSYNC_SOURCE_QB_URL: seedbox.url,
          QBSYNC_SOURCE_DESTINATION_ADDR: listen,
          QBSYNC_SOURCE_HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
          QBSYNC_SOURCE_RECONNECT_MAX_DELAY: "500ms",
          QBSYNC_SOURCE_POLL_INTERVAL: "200ms",
          QBSYNC_SOURCE_SLEEP: "500ms",
          QBSYNC_SOURCE_MIN_SPACE: "1000TB",
          QBSYNC_SOURCE_MIN_SEEDING_TIME: "0",
          QBSYNC_SOURCE_SETTLE_TIME: "0",
          QBSYNC_SOURCE_LOG_LEVEL: "debug",
          ...env,
        },
      },
    );
    stage.#closers.use(closers.move());
    for (const client of Object.values(stage.clients)) stage.#closers.defer(() => client.close());
    stage.#closers.defer(async () => {
      await stage.source?.[Symbol.asyncDispose]();
      await stage.destination?.[Symbol.asyncDispose]();
    });
    const watching = stage.#watch();
    stage.#closers.defer(async () => {
      stage.#isOver = true;
      await watching;
    });
    stage.startDestination();
    if (isStarted) stage.startSource();
    return stage;
  }

  get sourceUrl(): string {
    return `http://${this.env.source["QBSYNC_SOURCE_HEALTH_ADDR"]}`;
  }

  get destinationUrl(): string {
    return `http://${this.env.destination["QBSYNC_DESTINATION_HEALTH_ADDR"]}`;
  }

  startSource(env: Record<string, string> = {}): void {
    const onLine = (line: LogLine) => this.#hear(line);
    this.source = runApp("qbsync-source", { env: { ...this.env.source, ...env }, onLine });
  }

  startDestination(): void {
    this.destination = runApp("qbsync-destination", { env: this.env.destination });
  }

  /** A torrent that the seedbox has whole, and seeds. */
  async add(
    name: string,
    options: {
      tags?: readonly string[];
      seed?: string;
      isPrivate?: boolean;
      source?: string;
      sizeBytes?: number;
    } = {},
  ): Promise<MadeTorrent> {
    this.#made += 1;
    const { tags = [], seed = `${name} ${this.#made}`, isPrivate = false, sizeBytes = 300_000 } = options;
    const made = makeTorrent({
      version: "hybrid",
      files: [{ path: `${name}.bin`, size: sizeBytes }],
      pieceLength: 65_536,
      seed,
      private: isPrivate,
      ...(options.source !== undefined && { source: options.source }),
    });
    await made.write(this.seedbox.savePath);
    await this.clients.seedbox.torrents.add({
      files: [made.torrent],
      skipChecking: true,
      ...(tags.length > 0 && { tags }),
    });
    return made;
  }

  async at(side: Side, { torrentId }: MadeTorrent): Promise<Torrent | undefined> {
    return (await this.clients[side].torrents.info({ hashes: [torrentId] }))[0];
  }

  async seedsAt(side: Side, made: MadeTorrent): Promise<boolean> {
    return isSeeding(await this.at(side, made));
  }

  /** Resolves at the next log line of qbsync-source with this text. */
  hears(text: string, timeoutMs = patienceMs): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => over(() => reject(new Error(`"${text}" was not logged`))), timeoutMs);
      const listener = ({ msg }: LogLine) => {
        if (msg.includes(text)) over(resolve);
      };
      const over = (end: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        end();
      };
      this.#listeners.add(listener);
    });
  }

  /** The programs are killed (-9) and started again at once; the qBittorrents are restarted. */
  async strike(victim: Victim): Promise<void> {
    if (victim === "seedbox" || victim === "home") return await this[victim].restart();
    const app = victim === "qbsync-source" ? this.source : this.destination;
    app?.kill("SIGKILL");
    await app?.ended;
    if (victim === "qbsync-source") this.startSource();
    else this.startDestination();
  }

  /** Waits until a hand-off has ended: all of it at home, or as if nothing had been. */
  async end(made: MadeTorrent): Promise<"handed off" | "taken back"> {
    return await waitFor(
      async () => {
        const [here, there] = await this.#both(made);
        const isTagged = there?.tags.includes("source-removed") === true;
        if (here === undefined && isSeeding(there) && isTagged) return "handed off" as const;
        const isBack = isSeeding(here) && here?.tags.includes(mark) === false && !isSeeding(there);
        // Only where it was tried; before that it looks the same.
        return isBack && this.#wasTakenBack(made) ? ("taken back" as const) : undefined;
      },
      {
        what: `the end of the hand-off of ${made.name}; ${await this.describe(made)}`,
        timeoutMs: patienceMs,
      },
    );
  }

  /** Whether the files that home has are those of the torrent. */
  async isWholeAtHome(made: MadeTorrent): Promise<boolean> {
    for (const { path, content } of made.files)
      if (!(await readFile(join(this.home.savePath, path))).equals(content())) return false;
    return true;
  }

  async describe(made: MadeTorrent): Promise<string> {
    const [here, there] = await this.#both(made).catch(() => []);
    const log = this.lines
      .filter(({ msg }) => msg !== "qBittorrent: request")
      .slice(-30)
      .map(({ msg }) => msg);
    const side = (torrent?: Torrent) => torrent && `${torrent.state} ${torrent.progress} [${torrent.tags}]`;
    return `here ${side(here)}, there ${side(there)}\n${log.join("\n")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closers.disposeAsync();
  }

  #wasTakenBack({ name }: MadeTorrent): boolean {
    return this.lines.some(({ msg }) => msg.includes(name) && /stays:|goes on seeding here/u.test(msg));
  }

  async #both(made: MadeTorrent): Promise<[Torrent | undefined, Torrent | undefined]> {
    // What is restarted right now does not answer.
    return await waitFor(
      async () => {
        try {
          return [await this.at("seedbox", made), await this.at("home", made)] as [
            Torrent | undefined,
            Torrent | undefined,
          ];
        } catch {
          return undefined;
        }
      },
      { what: "both qBittorrents", timeoutMs: patienceMs },
    );
  }

  #hear(line: LogLine): void {
    this.lines.push(line);
    for (const listener of this.#listeners) listener(line);
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      // Home, the seedbox, home again: what seeds in all three looks seeds twice at the same time.
      const before = await this.#seedingAt("home");
      const here = await this.#seedingAt("seedbox");
      const after = await this.#seedingAt("home");
      this.looks += 1;
      for (const id of before) if (here.has(id) && after.has(id)) this.seenTwice.push(id);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async #seedingAt(side: Side): Promise<Set<string>> {
    try {
      const torrents = await this.clients[side].torrents.info();
      return new Set(torrents.filter((torrent) => isSeeding(torrent)).map(({ hash }) => hash));
    } catch {
      return new Set();
    }
  }
}

export function isSeeding(torrent: Torrent | undefined): boolean {
  return torrent !== undefined && ["uploading", "stalledUP", "queuedUP", "forcedUP"].includes(torrent.state);
}
