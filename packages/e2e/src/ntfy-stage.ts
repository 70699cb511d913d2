import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  freePort,
  makeTorrent,
  type MadeTorrent,
  type NtfyMessage,
  type PhoneScreen,
  readTopic,
  type RunningNtfy,
  type RunningQbittorrent,
  showOnPhone,
  startNtfy,
  startQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { type LogLine, runApp, type RunningApp } from "./run-app.ts";

/** Who says what, as it happens. */
export type NtfyNarrator = (who: "ntfy-sidecar" | "qBittorrent" | "the phone" | "you", what: string) => void;

const topic = "downloads";
const patienceMs = 60_000;
const uploadBytesPerSecond = 1024 * 1024;

/** A real ntfy, two real qBittorrents of which one has what the other wants, and ntfy-sidecar from its bundle. */
export class NtfyStage implements AsyncDisposable {
  readonly ntfy: RunningNtfy;
  readonly qbittorrent: RunningQbittorrent;
  readonly client: QbitClient;
  readonly #seeder: RunningQbittorrent;
  readonly #seeding: QbitClient;
  readonly #env: Record<string, string>;
  readonly #tell: NtfyNarrator;
  readonly #closers = new AsyncDisposableStack();
  #sidecar: RunningApp | undefined;
  #torrents = 0;
  #shown = 0;

  constructor(parts: {
    ntfy: RunningNtfy;
    qbittorrent: RunningQbittorrent;
    seeder: RunningQbittorrent;
    env: Record<string, string>;
    tell: NtfyNarrator;
  }) {
    this.ntfy = parts.ntfy;
    this.qbittorrent = parts.qbittorrent;
    this.#seeder = parts.seeder;
    this.#env = parts.env;
    this.#tell = parts.tell;
    this.client = new QbitClient({ url: parts.qbittorrent.url });
    this.#seeding = new QbitClient({ url: parts.seeder.url });
  }

  static async set({ tell = () => {} }: { tell?: NtfyNarrator } = {}): Promise<NtfyStage> {
    await using closers = new AsyncDisposableStack();
    const preferences = { refresh_interval: 500 };
    const folder = closers.use(await tempDir());
    // Watching it counts against the same limit as publishing.
    const ntfy = closers.use(await startNtfy({ config: { "visitor-request-limit-burst": 100_000 } }));
    const seeder = closers.use(await startQbittorrent({ preferences }));
    const qbittorrent = closers.use(await startQbittorrent({ preferences }));
    const hooks = `127.0.0.1:${await freePort()}`;
    const env = {
      QBIT_HOST: qbittorrent.url,
      NTFY_TOPIC: `${ntfy.url}/${topic}`,
      LISTEN_ADDR: hooks,
      HOOK_URL: `http://${hooks}`,
      INSTALL_HOOKS: "true",
      HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      STATE_DIR: folder.path,
      POLL_INTERVAL: "1s",
      PROGRESS_INTERVAL: "1s",
      PROGRESS_STEP: "10",
    };
    const stage = new NtfyStage({ ntfy, qbittorrent, seeder, env, tell });
    stage.#closers.use(closers.move());
    stage.#closers.defer(() => stage.#sidecar?.[Symbol.asyncDispose]());
    await stage.startSidecar();
    return stage;
  }

  /** ntfy's own web page of the topic. */
  get webPage(): string {
    return `${this.ntfy.url}/${topic}`;
  }

  get statusUrl(): string {
    return `http://${this.#env["HEALTH_ADDR"]}/status`;
  }

  async startSidecar(): Promise<void> {
    const sidecar = runApp("ntfy-sidecar", {
      env: this.#env,
      nodeArgs: ["--lite-mode"],
      onLine: (line) => this.#narrate(line),
    });
    this.#sidecar = sidecar;
    const looked = async () => {
      const metrics = await (await fetch(this.statusUrl.replace("/status", "/metrics"))).text();
      return /^ntfy_sidecar_qbittorrent_looks_total [1-9]/mu.test(metrics);
    };
    await waitFor(looked, { what: "ntfy-sidecar looking at qBittorrent", timeoutMs: patienceMs });
  }

  /** kill -9: it has no time for anything. */
  async killSidecar(): Promise<void> {
    this.#sidecar?.kill("SIGKILL");
    await this.#sidecar?.ended;
  }

  /** Adds a torrent to qBittorrent that takes some seconds to download once `connect` was called. */
  async add(name: string): Promise<MadeTorrent> {
    this.#torrents += 1;
    const files = [{ path: `${name} ${this.#torrents}.bin`, size: 4 * 1024 * 1024 }];
    const made = makeTorrent({ version: "hybrid", files, seed: `${name}-${this.#torrents}` });
    await made.write(this.#seeder.savePath);
    await this.#seeding.torrents.add({ files: [made.torrent] });
    const seeded = async () =>
      (await this.#seeding.torrents.info({ hashes: [made.torrentId] }))[0]?.progress === 1;
    await waitFor(seeded, { what: "the other side having it", timeoutMs: patienceMs });
    await this.#seeding.torrents.setUploadLimit([made.torrentId], uploadBytesPerSecond);
    await this.client.torrents.add({ files: [made.torrent] });
    this.#tell("you", `add ${made.name}`);
    return made;
  }

  /** Two peers on the loopback address do not find each other by themselves. */
  async connect({ torrentId }: MadeTorrent): Promise<void> {
    await this.client.torrents.addPeers([torrentId], [`127.0.0.1:${this.#seeder.listenPort}`]);
  }

  async downloaded({ torrentId, name }: MadeTorrent): Promise<void> {
    const isComplete = async () => {
      // So that the phone is seen to change meanwhile; ntfy may be down in this story.
      await this.#messages().catch(() => []);
      return (await this.client.torrents.info({ hashes: [torrentId] }))[0]?.progress === 1;
    };
    await waitFor(isComplete, { what: `${name} being there`, timeoutMs: patienceMs });
    this.#tell("qBittorrent", `has all of ${name}`);
  }

  /** The phone's screen, as far as it is about this torrent. */
  async screen({ torrentId }: MadeTorrent): Promise<PhoneScreen> {
    const messages = await this.#messages();
    return showOnPhone(messages.filter(({ sequence_id = "" }) => sequence_id.includes(torrentId)));
  }

  /** Waits until the phone shows what is wanted of this torrent. */
  async shows(made: MadeTorrent, what: string, isShown: (screen: PhoneScreen) => boolean): Promise<void> {
    await waitFor(async () => isShown(await this.screen(made)), { what, timeoutMs: patienceMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    this.#seeding.close();
    await this.#closers.disposeAsync();
  }

  async #messages(): Promise<NtfyMessage[]> {
    const messages = await readTopic(this.ntfy.url, topic);
    for (const message of messages.slice(this.#shown)) this.#tell("the phone", describeMessage(message));
    this.#shown = Math.max(this.#shown, messages.length);
    return messages;
  }

  #narrate({ level, msg, err }: LogLine): void {
    if (msg === "settings" || (level !== "info" && level !== "warn" && level !== "error")) return;
    this.#tell("ntfy-sidecar", err === undefined ? msg : `${msg}: ${err.message}`);
  }
}

function describeMessage({ event, title, message = "", priority = 3 }: NtfyMessage): string {
  if (event !== "message") return "the progress card is gone";
  const sound = priority >= 3 ? "♪ " : "";
  return `${sound}${title}: ${message.replaceAll("\n", ", ")}`;
}
