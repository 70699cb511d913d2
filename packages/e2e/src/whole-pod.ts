import { type AuthSource, QbitClient } from "@qbit-sidecars/qbit-client";
import {
  certificateAuthority,
  type FakePia,
  freePort,
  type RunningNtfy,
  type RunningQbittorrent,
  type RunningRedis,
  startFakePia,
  startNtfy,
  startQbittorrent,
  startRedis,
  tempDir,
} from "@qbit-sidecars/testing";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GluetunStandIn } from "./gluetun-stand-in.ts";
import { podEnvironments } from "./pod-environments.ts";
import { type AppName, appNames, type LinkName, type PodSecrets, username } from "./pod-parts.ts";
import type { LogLine } from "./run-app.ts";
import { distributions } from "./rules-of-the-story.ts";
import { SupervisedApp } from "./supervised-app.ts";

export type WholePodOptions = {
  secrets?: Partial<PodSecrets>;
  /** Puts something in front of a port that apps call, and returns the port to call instead; default nothing. */
  through?: (link: LinkName, port: number) => Promise<number>;
  /** Where home stores and apps keep their state, before anything is written there. */
  prepareFolder?: (kind: "home" | "state", path: string) => Promise<AsyncDisposable>;
  /** Further variables of an app. */
  env?: (app: AppName) => Record<string, string>;
  onText?: (app: AppName, text: string) => void;
  onLine?: (app: AppName, line: LogLine) => void;
};

export type PodServers = {
  seeder: RunningQbittorrent;
  source: RunningQbittorrent;
  home: RunningQbittorrent;
  ntfy: RunningNtfy;
  redis: RunningRedis;
};

const rules = `${distributions}  - name: Finished
    context: [finished]
    conditions:
      - { field: info.category, operator: ==, value: distributions }
    actions:
      - { type: add_tag, params: { tag: finished } }
`;

/** Loopback peers are limited like all others, by TCP alone. */
const small = {
  bittorrent_protocol: 1,
  limit_lan_peers: true,
  queueing_enabled: false,
  refresh_interval: 250,
  // Apps may call it through a port of another number.
  web_ui_host_header_validation_enabled: false,
};

/**
 * Everything at once: a seeder that stands for the swarm, a qBittorrent behind gluetun ("source"), one behind PIA
 * ("home"), ntfy, Redis, and all seven apps from their bundles, each started again when it ends.
 */
export class WholePod implements AsyncDisposable {
  readonly servers: PodServers;
  readonly clients: Record<"seeder" | "source" | "home", QbitClient>;
  readonly pia: FakePia;
  readonly gluetun: GluetunStandIn;
  readonly secrets: PodSecrets;
  readonly folder: string;
  /** With which ntfy-sidecar publishes; empty where everybody may. */
  readonly ntfyToken: string;
  /** Where ntfy-sidecar hears of added and finished torrents. */
  readonly hooksUrl: string;
  /** Where each app answers `/healthz`, `/readyz` and `/metrics`. */
  readonly health: Record<AppName, string>;
  readonly apps = new Map<AppName, SupervisedApp>();
  readonly #closers: AsyncDisposableStack;

  private constructor(parts: {
    servers: PodServers;
    pia: FakePia;
    gluetun: GluetunStandIn;
    secrets: PodSecrets;
    folder: string;
    ntfyToken: string;
    hooksUrl: string;
    health: Record<AppName, string>;
    closers: AsyncDisposableStack;
  }) {
    this.servers = parts.servers;
    this.pia = parts.pia;
    this.gluetun = parts.gluetun;
    this.secrets = parts.secrets;
    this.folder = parts.folder;
    this.ntfyToken = parts.ntfyToken;
    this.hooksUrl = parts.hooksUrl;
    this.health = parts.health;
    this.#closers = parts.closers;
    const client = (server: RunningQbittorrent) => new QbitClient({ url: server.url, auth: authOf(server) });
    const { seeder, source, home } = parts.servers;
    this.clients = { seeder: client(seeder), source: client(source), home: client(home) };
    for (const one of Object.values(this.clients)) this.#closers.defer(() => one.close());
  }

  static async set(options: WholePodOptions = {}): Promise<WholePod> {
    await using closers = new AsyncDisposableStack();
    const folder = closers.use(await tempDir("qbit-sidecars-pod-")).path;
    const secrets: PodSecrets = { ...openToAll, ...options.secrets };
    const pia = closers.use(
      await startFakePia({ username: secrets.piaUsername, password: secrets.piaPassword }),
    );
    const servers = await startServers(secrets, closers);
    const state = join(folder, "state");
    await mkdir(state);
    if (options.prepareFolder !== undefined) {
      closers.use(await options.prepareFolder("home", servers.home.savePath));
      closers.use(await options.prepareFolder("state", state));
    }
    await mkdir(join(state, "rules"));
    await writeFile(join(state, "rules", "rules.yml"), rules);
    await writeFile(join(folder, "ca.rsa.4096.crt"), pia.ca);
    await writeCertificates(folder);
    const ntfyToken = await grantToken(servers.ntfy, secrets);
    const gluetun = new GluetunStandIn(join(folder, "gluetun", "forwarded_port"));
    const health = Object.fromEntries(
      await Promise.all(appNames.map(async (name) => [name, `http://127.0.0.1:${await freePort()}`])),
    ) as Record<AppName, string>;
    const hooksUrl = `http://127.0.0.1:${await freePort()}`;
    const parts = { servers, pia, gluetun, secrets, folder, ntfyToken, hooksUrl, health };
    const pod = new WholePod({ ...parts, closers: closers.move() });
    try {
      await pod.#startApps(options);
      return pod;
    } catch (error) {
      await pod[Symbol.asyncDispose]();
      throw error;
    }
  }

  app(name: AppName): SupervisedApp {
    const app = this.apps.get(name);
    if (app === undefined) throw new Error(`${name} was never started`);
    return app;
  }

  /** rules-server's page and API. */
  get rulesUrl(): string {
    return this.health["rules-server"];
  }

  /** Whether an app answers, and does its job now. */
  async isReady(name: AppName): Promise<boolean> {
    const asking = fetch(`${this.health[name]}/readyz`, { signal: AbortSignal.timeout(5000) });
    const answer = await asking.catch(() => undefined);
    await answer?.text().catch(() => "");
    return answer?.ok === true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // All at once: none of them waits for another.
    await Promise.all(
      Array.from(this.apps.values(), async (app) => {
        await app[Symbol.asyncDispose]();
      }),
    );
    await this.#closers.disposeAsync();
  }

  async #startApps({ through = (_, port) => Promise.resolve(port), env, onText, onLine }: WholePodOptions) {
    const { source, home, ntfy, redis } = this.servers;
    const qbsyncPort = await freePort();
    const environments = podEnvironments({
      folder: this.folder,
      secrets: this.secrets,
      health: this.health,
      pia: this.pia,
      portFile: this.gluetun.portFile,
      savePaths: { source: source.savePath, home: home.savePath },
      hooksUrl: this.hooksUrl,
      ntfyToken: this.ntfyToken,
      qbsyncPort,
      ports: {
        source: await through("source", source.webPort),
        home: await through("home", home.webPort),
        ntfy: await through("ntfy", ntfy.port),
        redis: await through("redis", redis.port),
        qbsync: await through("qbsync", qbsyncPort),
      },
    });
    for (const name of appNames) {
      const { args = [], env: variables } = environments[name];
      this.apps.set(
        name,
        new SupervisedApp(name, {
          args,
          env: { ...variables, ...env?.(name) },
          keep: 200,
          ...(onText && { onText: (text) => onText(name, text) }),
          ...(onLine && { onLine: (line) => onLine(name, line) }),
        }),
      );
    }
  }
}

const openToAll: PodSecrets = {
  qbittorrentPassword: "",
  redisPassword: "",
  ntfyPassword: "",
  trackToken: "",
  rulesKey: "the-key-of-npm-start",
  qbsyncToken: "the-token-of-npm-start",
  piaUsername: "p1234567",
  piaPassword: "pia-password",
};

async function startServers(secrets: PodSecrets, closers: AsyncDisposableStack): Promise<PodServers> {
  const { qbittorrentPassword: password, ntfyPassword, redisPassword } = secrets;
  const auth = password === "" ? ("bypass" as const) : { username, password };
  const qbittorrent = (preferences: Record<string, unknown> = {}) =>
    startQbittorrent({ auth, preferences: { ...small, ...preferences } });
  const starting = [
    qbittorrent(),
    qbittorrent({ incomplete_files_ext: true }),
    qbittorrent(),
    startNtfy({
      users: ntfyPassword === "" ? [] : [{ username, password: ntfyPassword }],
      // Whoever watches it counts against the same limit as who publishes.
      config: { "visitor-request-limit-burst": 100_000 },
    }),
    startRedis({ appendOnly: true, ...(redisPassword !== "" && { password: redisPassword }) }),
  ] as const;
  // What did start is stopped even when another did not.
  for (const one of await Promise.allSettled(starting)) {
    if (one.status === "fulfilled") closers.use(one.value);
  }
  const [seeder, source, home, ntfy, redis] = await Promise.all(starting);
  return { seeder, source, home, ntfy, redis };
}

/** What qbsync-source and qbsync-destination believe each other by. */
async function writeCertificates(folder: string): Promise<void> {
  const authority = certificateAuthority("the pod's own");
  const { key, cert } = authority.issue({ names: ["127.0.0.1"] });
  await writeFile(join(folder, "qbsync-ca.crt"), authority.cert);
  await writeFile(join(folder, "qbsync.crt"), cert);
  await writeFile(join(folder, "qbsync.key"), key, { mode: 0o600 });
}

/** ntfy makes access tokens itself (docs.ntfy.sh/publish, "Access tokens"). */
async function grantToken({ url }: RunningNtfy, { ntfyPassword }: PodSecrets): Promise<string> {
  if (ntfyPassword === "") return "";
  const basic = Buffer.from(`${username}:${ntfyPassword}`).toString("base64");
  const headers = { authorization: `Basic ${basic}` };
  const answer = await fetch(`${url}/v1/account/token`, { method: "POST", headers });
  const { token } = (await answer.json()) as { token: string };
  return token;
}

function authOf({ username: name, password }: RunningQbittorrent): AuthSource {
  return password === "" ? { kind: "none" } : { kind: "password", username: name, password };
}
