import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  freePort,
  type QbittorrentVersion,
  type RunningQbittorrent,
  startQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { join } from "node:path";
import { GluetunStandIn } from "./gluetun-stand-in.ts";
import { type LogLine, runApp, type RunningApp } from "./run-app.ts";

/** Who says what, as it happens. */
export type Narrator = (who: "gluetun" | "port-sync" | "qBittorrent" | "you", what: string) => void;

/** A real qBittorrent, port-sync from its bundle, and a stand-in for gluetun, wired together on loopback. */
export type Stage = AsyncDisposable & {
  gluetun: GluetunStandIn;
  qbittorrent: RunningQbittorrent;
  client: QbitClient;
  portSync: RunningApp;
  /** Where port-sync's health, status and metrics answer. */
  healthUrl: string;
  /** A port nobody on this machine uses, other than those given before. */
  unusedPort(): Promise<number>;
  /** Waits until qBittorrent itself answers with this port. */
  listensOn(port: number): Promise<void>;
  /** port-sync's own view. */
  status(): Promise<Status>;
};

/** The part of `GET /status` that stories look at. */
export type Status = {
  converged: boolean;
  reason: string;
  changes: readonly { kind: string; from: number; to: number; why: string }[];
};

type StageOptions = { version?: QbittorrentVersion; env?: Record<string, string>; tell?: Narrator };

const patienceMs = 30_000;

/** Sets the stage. `env` goes to port-sync. */
export async function setStage({ version, env = {}, tell = () => {} }: StageOptions = {}): Promise<Stage> {
  await using closers = new AsyncDisposableStack();
  const folder = closers.use(await tempDir());
  const qbittorrent = closers.use(await startQbittorrent(version === undefined ? {} : { version }));
  tell(
    "qBittorrent",
    `${qbittorrent.version} is up, listening on ${qbittorrent.listenPort}; WebUI ${qbittorrent.url}`,
  );
  const gluetun = new GluetunStandIn(join(folder.path, "gluetun", "forwarded_port"));
  const healthPort = await freePort();
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  const portSync = closers.use(
    runApp("port-sync", {
      env: {
        QBIT_ADDR: qbittorrent.url,
        PORT_FILE: gluetun.portFile,
        HEALTH_ADDR: `127.0.0.1:${healthPort}`,
        SYNC_INTERVAL: "2s",
        ...env,
      },
      nodeArgs: ["--lite-mode"],
      onLine: (line) => narrate(line, tell),
    }),
  );
  const client = new QbitClient({ url: qbittorrent.url });
  closers.defer(() => client.close());
  const given = new Set<number>();
  const listenPort = async () => {
    const { listen_port: port } = await client.app.preferences({});
    return port;
  };
  const resources = closers.move();
  return {
    gluetun,
    qbittorrent,
    client,
    portSync,
    healthUrl,
    async unusedPort() {
      let port = await freePort();
      while (given.has(port)) port = await freePort();
      given.add(port);
      return port;
    },
    async listensOn(port) {
      await waitFor(async () => (await listenPort()) === port, {
        timeoutMs: patienceMs,
        what: `qBittorrent listening on ${port}`,
      });
      tell("qBittorrent", `answers: listen_port ${port}`);
    },
    async status() {
      const response = await fetch(`${healthUrl}/status`);
      return (await response.json()) as Status;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What port-sync logs, as a person would read it. Its settings would fill the screen. */
function narrate({ level, msg, err }: LogLine, tell: Narrator): void {
  if (msg === "settings" || (level !== "info" && level !== "warn" && level !== "error")) return;
  tell("port-sync", err === undefined ? msg : `${msg}: ${err.message}`);
}
