import { readTextFile } from "@qbit-sidecars/config";
import { applyListenPort, chooseAuth, QbitClient } from "@qbit-sidecars/qbit-client";
import type { Service } from "@qbit-sidecars/service";
import type { Config } from "./config.ts";
import type { Listening } from "./plan-sync.ts";
import type { Listener } from "./sync-port.ts";

/** The client that the settings describe. `ca` is PEM. */
export function openQbittorrent(config: Config, { clock, log }: Service, ca: string | undefined): QbitClient {
  return new QbitClient({
    url: config.qbitUrl,
    auth: chooseAuth({
      apiKey: config.qbitApiKey?.reveal(),
      username: config.qbitUser,
      password: config.qbitPass?.reveal(),
    }),
    timeoutMs: config.qbitTimeout,
    ca,
    insecureSkipVerify: config.qbitInsecureSkipVerify,
    clock,
    onEvent: ({ type, ...event }) => log.debug(event, `qBittorrent: ${type}`),
  });
}

const caMaxBytes = 1024 * 1024;

/** Reads the file of certificates to trust; `problem` completes a sentence that begins with the file. */
export async function readCa(
  path: string | undefined,
): Promise<{ pem: string } | { problem: string } | undefined> {
  if (path === undefined) return undefined;
  const reading = await readTextFile(path, caMaxBytes);
  if (!reading.ok) return { problem: reading.problem };
  const pem = reading.text;
  return pem.includes("-----BEGIN CERTIFICATE-----")
    ? { pem }
    : { problem: "holds no certificate in PEM form" };
}

/** qBittorrent as `PortSync` needs it. */
export function qbittorrentListener(client: QbitClient): Listener {
  return {
    async observe(signal) {
      const { listen_port, random_port = false, upnp = false } = await client.app.preferences({ signal });
      const { connection_status } = await client.transfer.info({ signal });
      return {
        listenPort: listen_port,
        randomPort: random_port,
        upnp,
        connection: connection(connection_status),
      };
    },
    async listenOn(wanted, signal) {
      await applyListenPort(client, { ...wanted, signal });
    },
    async reannounceActive(signal) {
      const active = await client.torrents.info({ filter: "active" }, { signal });
      const hashes = active.map(({ hash }) => hash);
      if (hashes.length > 0) await client.torrents.reannounce(hashes, { signal });
    },
  };
}

/** A word that a future qBittorrent may add must not make it look deaf. */
function connection(status: string): Listening["connection"] {
  return status === "disconnected" || status === "firewalled" ? status : "connected";
}
