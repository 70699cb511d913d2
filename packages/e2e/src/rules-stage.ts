import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  freePort,
  makeTorrent,
  type RunningQbittorrent,
  startQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { distributions } from "./rules-of-the-story.ts";
import { type LogLine, runApp, type RunningApp } from "./run-app.ts";

/** Who says what, as it happens. */
export type RulesNarrator = (who: "rules-server" | "qBittorrent" | "you", what: string) => void;

/** A job as the API shows it. */
export type RulesJob = { job_id: string; status: string; result: Record<string, unknown> | null };

const apiKey = "the-key-of-npm-start";
const patienceMs = 30_000;

/** A real qBittorrent, a rules file, and rules-server from its bundle. */
export class RulesStage implements AsyncDisposable {
  readonly qbittorrent: RunningQbittorrent;
  readonly client: QbitClient;
  readonly apiKey = apiKey;
  readonly url: string;
  readonly #folder: string;
  readonly #tell: RulesNarrator;
  readonly #closers = new AsyncDisposableStack();
  #server: RunningApp | undefined;
  #torrents = 0;

  constructor(parts: { qbittorrent: RunningQbittorrent; folder: string; port: number; tell: RulesNarrator }) {
    this.qbittorrent = parts.qbittorrent;
    this.client = new QbitClient({ url: parts.qbittorrent.url });
    this.url = `http://127.0.0.1:${parts.port}`;
    this.#folder = parts.folder;
    this.#tell = parts.tell;
  }

  static async set({ tell = () => {} }: { tell?: RulesNarrator } = {}): Promise<RulesStage> {
    await using closers = new AsyncDisposableStack();
    const folder = closers.use(await tempDir()).path;
    const qbittorrent = closers.use(await startQbittorrent());
    const stage = new RulesStage({ qbittorrent, folder, port: await freePort(), tell });
    await stage.writeRules(distributions);
    stage.#closers.use(closers.move());
    stage.#closers.defer(() => stage.#server?.[Symbol.asyncDispose]());
    await stage.startServer();
    return stage;
  }

  async startServer(): Promise<void> {
    this.#server = runApp("rules-server", {
      args: ["--serve"],
      env: {
        QBT_RULES_CONFIG_DIR: this.#folder,
        QBT_RULES_LOG_FILE: "",
        QBT_RULES_QBITTORRENT_HOST: this.qbittorrent.url,
        QBT_RULES_SERVER_API_KEY: apiKey,
        QBT_RULES_SERVER_HOST: "127.0.0.1",
        QBT_RULES_SERVER_PORT: new URL(this.url).port,
        QBT_RULES_QUEUE_SQLITE_PATH: join(this.#folder, "qbt-rules.db"),
      },
      onLine: (line) => this.#narrate(line),
    });
    const isHealthy = async () => (await fetch(`${this.url}/api/health`).catch(() => undefined))?.ok;
    await waitFor(isHealthy, { what: "rules-server being healthy", timeoutMs: patienceMs });
  }

  /** kill -9: it has no time for anything. */
  async killServer(): Promise<void> {
    this.#server?.kill("SIGKILL");
    await this.#server?.ended;
  }

  async writeRules(text: string): Promise<void> {
    await writeFile(join(this.#folder, "rules.yml"), text);
  }

  get rules(): string {
    return distributions;
  }

  /** Adds a torrent, stopped, and returns its id. */
  async add(name: string): Promise<string> {
    this.#torrents += 1;
    const files = [{ path: `${name} ${this.#torrents}.iso`, size: 64 * 1024 }];
    const made = makeTorrent({ version: "hybrid", files, seed: `${name}-${this.#torrents}` });
    await this.client.torrents.add({ files: [made.torrent], stopped: true });
    this.#tell("you", `add ${made.name}`);
    return made.torrentId;
  }

  async ask(method: "GET" | "POST", path: string): Promise<unknown> {
    const answer = await fetch(this.url + path, { method, headers: { "x-api-key": apiKey } });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }

  /** What a hook does: `curl -X POST …/api/execute?context=added&hash=%K`. */
  async hook(query: string): Promise<RulesJob> {
    this.#tell("you", `POST /api/execute?${query}`);
    return (await this.ask("POST", `/api/execute?${query}`)) as RulesJob;
  }

  async over({ job_id: id }: RulesJob): Promise<RulesJob> {
    const isOver = async () => {
      const job = (await this.ask("GET", `/api/jobs/${id}`)) as RulesJob;
      return ["completed", "failed", "cancelled"].includes(job.status) ? job : undefined;
    };
    const job = await waitFor(isOver, { what: `job ${id} being over`, timeoutMs: patienceMs });
    this.#tell("rules-server", `job ${job.status}: ${String(job.result?.["actions_executed"])} changes`);
    return job;
  }

  /** Waits until qBittorrent shows the torrent in its category, with its tag. */
  async sorted(id: string): Promise<void> {
    const isSorted = async () => {
      const [torrent] = await this.client.torrents.info({ hashes: [id] });
      return torrent?.category === "distributions" && torrent.tags === "keep" ? torrent : undefined;
    };
    const { name } = await waitFor(isSorted, { what: "category and tag", timeoutMs: patienceMs });
    this.#tell("qBittorrent", `${name}: category distributions, tag keep`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.#closers.disposeAsync();
  }

  #narrate({ level, msg, err }: LogLine): void {
    if (msg === "settings" || msg === "request" || (level !== "warn" && level !== "error")) return;
    this.#tell("rules-server", err === undefined ? msg : `${msg}: ${err.message}`);
  }
}
