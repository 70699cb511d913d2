import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  type FakePia,
  freePort,
  type QbittorrentVersion,
  type RunningQbittorrent,
  startFakePia,
  startQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LogLine, runApp, type RunningApp } from "./run-app.ts";

/** Who says what, as it happens. */
export type PiaNarrator = (who: "PIA" | "pia-forwarder" | "qBittorrent", what: string) => void;

/** A real qBittorrent, pia-forwarder from its bundle, and a PIA that is none, wired together on loopback. */
export type PiaStage = AsyncDisposable & {
  pia: FakePia;
  qbittorrent: RunningQbittorrent;
  client: QbitClient;
  /** Where pia-forwarder's health, status and metrics answer. */
  healthUrl: string;
  /** Ends pia-forwarder and starts it again with what it has kept. */
  restart(): Promise<void>;
  /** Waits until qBittorrent itself answers with a port that PIA forwards, other than `before`. @returns the port */
  listensOnForwarded(before?: number): Promise<number>;
  /** pia-forwarder's own view. */
  status(): Promise<PiaStatus>;
};

/** The part of `GET /status` that stories look at. */
export type PiaStatus = {
  held: boolean;
  port: number | null;
  expires_at: string | null;
  changes: readonly { kind: string }[];
};

type PiaStageOptions = { version?: QbittorrentVersion; env?: Record<string, string>; tell?: PiaNarrator };

const patienceMs = 30_000;

/** Sets the stage. `env` goes to pia-forwarder. */
export async function setPiaStage({
  version,
  env = {},
  tell = () => {},
}: PiaStageOptions = {}): Promise<PiaStage> {
  await using closers = new AsyncDisposableStack();
  const folder = closers.use(await tempDir());
  const qbittorrent = closers.use(await startQbittorrent(version === undefined ? {} : { version }));
  const pia = closers.use(await startFakePia());
  tell("PIA", `a stand-in answers as ${pia.gateway.hostname} at ${pia.gateway.address}:${pia.port}`);
  const ca = join(folder.path, "ca.rsa.4096.crt");
  await writeFile(ca, pia.ca);
  const healthAddr = `127.0.0.1:${await freePort()}`;
  const start = (): RunningApp =>
    runApp("pia-forwarder", {
      env: {
        PIA_USERNAME: pia.username,
        PIA_PASSWORD: pia.password,
        PIA_TOKEN_FILE: join(folder.path, "pia_token"),
        PIA_TOKEN_URL: pia.tokens.url,
        PIA_GATEWAY: pia.gateway.address,
        PIA_GATEWAY_PORT: String(pia.port),
        PIA_HOSTNAME: pia.gateway.hostname,
        PIA_CA_CERT: ca,
        STATE_DIR: join(folder.path, "state"),
        QBITTORRENT_HOST: qbittorrent.url,
        HEALTH_ADDR: healthAddr,
        CHECK_INTERVAL: "1s",
        ...env,
      },
      nodeArgs: ["--lite-mode"],
      onLine: (line) => narrate(line, tell),
    });
  let app = start();
  closers.defer(() => app[Symbol.asyncDispose]());
  const client = new QbitClient({ url: qbittorrent.url });
  closers.defer(() => client.close());
  const resources = closers.move();
  return {
    pia,
    qbittorrent,
    client,
    healthUrl: `http://${healthAddr}`,
    async restart() {
      await app[Symbol.asyncDispose]();
      app = start();
    },
    async listensOnForwarded(before) {
      const forwarded = async () => {
        const { listen_port: port } = await client.app.preferences({});
        return pia.gateway.bindings.isBound(port) && port !== before ? port : undefined;
      };
      const what = "qBittorrent on a port that PIA forwards";
      const port = await waitFor(forwarded, { timeoutMs: patienceMs, what });
      tell("qBittorrent", `answers: listen_port ${port}`);
      return port;
    },
    async status() {
      const response = await fetch(`http://${healthAddr}/status`);
      return JSON.parse(await response.text());
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What pia-forwarder logs, as a person would read it. Its settings would fill the screen. */
function narrate({ level, msg, err }: LogLine, tell: PiaNarrator): void {
  if (msg === "settings" || (level !== "info" && level !== "warn" && level !== "error")) return;
  tell("pia-forwarder", err === undefined ? msg : `${msg}: ${err.message}`);
}
