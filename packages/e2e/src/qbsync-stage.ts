import { QbitClient, type Torrent } from "@qbit-sidecars/qbit-client";
import {
  freePort,
  type MadeTorrent,
  makeTorrent,
  type QbittorrentVersion,
  type RunningQbittorrent,
  startQbittorrent,
  type TorrentOptions,
  waitFor,
} from "@qbit-sidecars/testing";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LogLine, runApp, type RunningApp } from "./run-app.ts";

type Who = "qbsync-source" | "qbsync-destination" | "the seedbox" | "home" | "you";

/** Who says what, as it happens. */
export type QbsyncNarrator = (who: Who, what: string) => void;

/** What a torrent is made of, how fast it downloads, and what of it nobody wants. */
export type Download = Partial<TorrentOptions> & {
  bytesPerSecond?: number;
  unselected?: readonly number[];
};

/** What `GET /status` of qbsync-source says of a torrent. */
type StatusRow = {
  id: string;
  state: string;
  pieces: number | null;
  needed: number | null;
  written_not_durable: number | null;
};

type StageOptions = {
  /** Of qBittorrent at the seedbox and at home. */
  version?: QbittorrentVersion;
  tell?: QbsyncNarrator;
  /** How often qBittorrent tells of changes. */
  refreshMs?: number;
  /** Further variables of the two apps. */
  env?: { source?: Record<string, string>; destination?: Record<string, string> };
};

type Parts = {
  swarm: RunningQbittorrent;
  seedbox: RunningQbittorrent;
  home: RunningQbittorrent;
  env: Record<"source" | "destination", Record<string, string>>;
  tell: QbsyncNarrator;
};

const patienceMs = 60_000;

/** As a small seedbox and a small server at home: loopback peers are limited like all others, by TCP. */
const small = { bittorrent_protocol: 1, limit_lan_peers: true, queueing_enabled: false };

/**
 * Three real qBittorrents: somebody who has everything, the seedbox that downloads from there, and home; between the
 * last two, qbsync-source and qbsync-destination from their bundles.
 */
export class QbsyncStage implements AsyncDisposable {
  readonly seedbox: RunningQbittorrent;
  readonly home: RunningQbittorrent;
  readonly #parts: Parts;
  readonly #swarmClient: QbitClient;
  readonly #seedboxClient: QbitClient;
  readonly #homeClient: QbitClient;
  readonly #closers = new AsyncDisposableStack();
  #source: RunningApp | undefined;
  #destination: RunningApp | undefined;
  #torrents = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.seedbox = parts.seedbox;
    this.home = parts.home;
    this.#swarmClient = new QbitClient({ url: parts.swarm.url });
    this.#seedboxClient = new QbitClient({ url: parts.seedbox.url });
    this.#homeClient = new QbitClient({ url: parts.home.url });
    for (const client of [this.#swarmClient, this.#seedboxClient, this.#homeClient])
      this.#closers.defer(() => client.close());
  }

  static async set(options: StageOptions = {}): Promise<QbsyncStage> {
    const { version = "5.3.0", tell = () => {}, refreshMs = 250, env = {} } = options;
    const preferences = { ...small, refresh_interval: refreshMs };
    await using closers = new AsyncDisposableStack();
    const [swarm, seedbox, home] = await Promise.all([
      startQbittorrent({ preferences }),
      startQbittorrent({ version, preferences: { ...preferences, incomplete_files_ext: true } }),
      startQbittorrent({ version, preferences }),
    ]);
    for (const server of [swarm, seedbox, home]) closers.use(server);
    const listen = `127.0.0.1:${await freePort()}`;
    const destination = {
      QBSYNC_DESTINATION_DATA: home.savePath,
      QBSYNC_DESTINATION_QB_URL: home.url,
      QBSYNC_DESTINATION_LISTEN: listen,
      QBSYNC_DESTINATION_HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      QBSYNC_DESTINATION_POLL_INTERVAL: "250ms",
      ...env.destination,
    };
    const source = {
      QBSYNC_SOURCE_DATA: seedbox.savePath,
      QBSYNC_SOURCE_QB_URL: seedbox.url,
      QBSYNC_SOURCE_DESTINATION_ADDR: listen,
      QBSYNC_SOURCE_HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      QBSYNC_SOURCE_RECONNECT_MAX_DELAY: "1s",
      ...env.source,
    };
    const stage = new QbsyncStage({ swarm, seedbox, home, env: { source, destination }, tell });
    stage.#closers.use(closers.move());
    stage.#closers.defer(() => stage.#destination?.[Symbol.asyncDispose]());
    stage.#closers.defer(() => stage.#source?.[Symbol.asyncDispose]());
    stage.startDestination();
    stage.startSource();
    return stage;
  }

  get statusUrl(): string {
    return `http://${this.#parts.env.source["QBSYNC_SOURCE_HEALTH_ADDR"]}/status`;
  }

  /** @param settings in place of its usual ones */
  startSource(settings: Record<string, string> = {}): void {
    this.#source = runApp("qbsync-source", {
      args: ["source"],
      env: { ...this.#parts.env.source, ...settings },
      onLine: (line) => narrate("qbsync-source", line, this.#parts.tell),
    });
  }

  startDestination(): void {
    this.#destination = runApp("qbsync-destination", {
      env: this.#parts.env.destination,
      onLine: (line) => narrate("qbsync-destination", line, this.#parts.tell),
    });
  }

  /** kill -9: it has no time for anything. */
  async killSource(): Promise<void> {
    this.#source?.kill("SIGKILL");
    await this.#source?.ended;
  }

  async killDestination(): Promise<void> {
    this.#destination?.kill("SIGKILL");
    await this.#destination?.ended;
  }

  /** A metric of the destination, the sum over its labels; 0 while it cannot be asked. */
  async destinationMetric(name: string, label = ""): Promise<number> {
    const url = `http://${this.#parts.env.destination["QBSYNC_DESTINATION_HEALTH_ADDR"]}/metrics`;
    const text = await fetch(url).then(
      (response) => response.text(),
      () => "",
    );
    const lines = text.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  /** As its container is stopped; resolves when it has ended by itself. */
  async stopSource(): Promise<void> {
    this.#source?.kill("SIGTERM");
    const code = await this.#source?.ended;
    if (code !== 0) throw new Error(`qbsync-source ended with ${code}`);
  }

  /** Waits until it knows what both sides have. */
  async sourceRuns(): Promise<void> {
    await this.#until(async () => {
      const answer = await fetch(this.statusUrl).catch(() => undefined);
      return answer?.ok === true && (await answer.text()).includes('"synced"');
    }, "qbsync-source to run");
  }

  /** Waits until the seedbox has removed it and home seeds it alone, with every byte of it. */
  async isHandedOff(made: MadeTorrent): Promise<void> {
    await this.#until(async () => {
      const [here, there] = [await this.atSeedbox(made), await this.atHome(made)];
      const isSeeding = there !== undefined && ["uploading", "stalledUP"].includes(there.state);
      return here === undefined && isSeeding && there.tags.includes("source-removed");
    }, `${made.name} seeding at home alone`);
    for (const file of made.files)
      if (!(await this.isSameAtHome(file))) throw new Error(`${file.path} is not whole at home`);
    this.#parts.tell("home", `seeds ${made.name}; the seedbox has removed it, and its files`);
  }

  /** The seedbox begins to download a torrent. */
  async download(name: string, options: Download = {}): Promise<MadeTorrent> {
    const { bytesPerSecond = 1024 * 1024, unselected = [], ...shape } = options;
    this.#torrents += 1;
    const files = [{ path: `${name} ${this.#torrents}.bin`, size: 4 * 1024 * 1024 }];
    const seed = `${name}-${this.#torrents}`;
    const made = makeTorrent({ version: "hybrid", files, pieceLength: 131_072, seed, ...shape });
    const hashes = [made.torrentId];
    await made.write(this.#parts.swarm.savePath);
    await this.#swarmClient.torrents.add({
      files: [made.torrent],
      skipChecking: true,
      uploadLimit: bytesPerSecond,
    });
    await this.#seedboxClient.torrents.add({ files: [made.torrent], stopped: true });
    await this.#until(async () => {
      const now = await this.atSeedbox(made);
      return now !== undefined && !now.state.startsWith("checking");
    }, `${name} at the seedbox`);
    await this.#seedboxClient.torrents.setFilePriority(made.torrentId, { indexes: unselected, priority: 0 });
    await this.#seedboxClient.torrents.start(hashes);
    this.#parts.tell("you", `add ${made.name} at the seedbox`);
    await this.#until(async () => {
      // Two peers on the loopback address do not find each other by themselves.
      const peer = `127.0.0.1:${this.#parts.swarm.listenPort}`;
      await this.#seedboxClient.torrents.addPeers(hashes, [peer]);
      return ((await this.atSeedbox(made))?.progress ?? 0) > 0;
    }, `${name} downloading`);
    return made;
  }

  async atSeedbox({ torrentId }: MadeTorrent): Promise<Torrent | undefined> {
    return (await this.#seedboxClient.torrents.info({ hashes: [torrentId] }))[0];
  }

  async atHome({ torrentId }: MadeTorrent): Promise<Torrent | undefined> {
    return (await this.#homeClient.torrents.info({ hashes: [torrentId] }))[0];
  }

  /** Waits until a part of it is at home although the seedbox does not have it all. */
  async arrivesMeanwhile(made: MadeTorrent): Promise<void> {
    const isArriving = async () => (await this.#missingAtHome(made)) < 1;
    await this.#until(isArriving, `a first piece of ${made.name} at home`);
    const progress = (await this.atSeedbox(made))?.progress ?? 0;
    if (progress >= 1) throw new Error(`the seedbox had all of ${made.name} before home had a piece`);
    this.#parts.tell(
      "the seedbox",
      `has ${Math.round(progress * 100)} % of ${made.name}; home has pieces already`,
    );
  }

  /** Waits until home has all that is wanted of it, verified by its own qBittorrent, and it is tagged on both sides. */
  async complete(made: MadeTorrent): Promise<void> {
    await this.#until(
      async () => (await this.atSeedbox(made))?.progress === 1,
      `${made.name} at the seedbox`,
    );
    const downloadedAt = performance.now();
    await this.#until(async () => {
      const [here, there] = [await this.atSeedbox(made), await this.atHome(made)];
      return there?.progress === 1 && here?.tags.includes("synced") === true && there.tags.includes("synced");
    }, `${made.name} at home`);
    const seconds = ((performance.now() - downloadedAt) / 1000).toFixed(1);
    this.#parts.tell("home", `has all of ${made.name}, ${seconds} s after the seedbox`);
  }

  /** Lets home check every byte again, and seed. */
  async seeds(made: MadeTorrent): Promise<void> {
    const hashes = [made.torrentId];
    await this.#homeClient.torrents.recheck(hashes);
    const isSeeding = async () => {
      // qBittorrent stops a torrent again that was stopped when its check began.
      await this.#homeClient.torrents.start(hashes);
      const now = await this.atHome(made);
      return now?.progress === 1 && ["uploading", "stalledUP"].includes(now.state);
    };
    await this.#until(isSeeding, `home seeding ${made.name}`);
    this.#parts.tell("home", `has checked every piece of ${made.name} again, and seeds it`);
  }

  /** Whether a file of the torrent is, byte for byte, at home. */
  async isSameAtHome({ path, content }: MadeTorrent["files"][number]): Promise<boolean> {
    const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    return digest(await readFile(join(this.home.savePath, path))) === digest(content());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closers.disposeAsync();
  }

  /** How many of its pieces the seedbox has, and how many are on home's disk. */
  async counts({ torrentId }: MadeTorrent): Promise<{ here: number; durable: number }> {
    const [states, row] = await Promise.all([
      this.#seedboxClient.torrents.pieceStates(torrentId),
      this.#statusOf(torrentId),
    ]);
    const here = states.filter((state) => state === 2).length;
    const { pieces, needed, written_not_durable: undurable } = row ?? {};
    return { here, durable: pieces ? pieces - (needed ?? pieces) - (undurable ?? 0) : 0 };
  }

  /** The share of its pieces that the destination needs, as the source knows it; 1 before it knows. */
  async #missingAtHome({ torrentId }: MadeTorrent): Promise<number> {
    const row = await this.#statusOf(torrentId);
    if (row?.state !== "syncing" || row.pieces === null || row.needed === null) return 1;
    return row.needed / row.pieces;
  }

  async #statusOf(torrentId: string): Promise<StatusRow | undefined> {
    const { torrents } = (await (await fetch(this.statusUrl)).json()) as { torrents: StatusRow[] };
    // Before it is open at home nothing is known of its pieces there.
    const row = torrents.find(({ id }) => id === torrentId);
    return row?.state === "syncing" || row?.state === "synced" ? row : undefined;
  }

  async #until(condition: () => Promise<boolean>, what: string): Promise<void> {
    await waitFor(condition, { what, timeoutMs: patienceMs });
  }
}

/** What an app logs, as a person would read it. Its settings would fill the screen. */
function narrate(who: Who, { level, msg, err }: LogLine, tell: QbsyncNarrator): void {
  if (msg === "settings" || (level !== "info" && level !== "warn" && level !== "error")) return;
  tell(who, err === undefined ? msg : `${msg}: ${err.message}`);
}
