import { applyListenPort, type Auth, QbitClient } from "@qbit-sidecars/qbit-client";
import type { Service } from "@qbit-sidecars/service";
import { readFile } from "node:fs/promises";
import type { Config } from "./config.ts";
import type { Listener } from "./sync-port.ts";

/** The client that the settings describe. @throws when the CA file cannot be read */
export async function openQbittorrent(config: Config, service: Service): Promise<QbitClient> {
  const ca = config.qbitCaCertFile === undefined ? {} : { ca: await readFile(config.qbitCaCertFile, "utf8") };
  return new QbitClient({
    url: config.qbitUrl,
    auth: authOf(config),
    timeoutMs: config.qbitTimeout,
    insecureSkipVerify: config.qbitInsecureSkipVerify,
    clock: service.clock,
    random: service.random,
    onEvent: (event) => service.log.debug(event, `qBittorrent: ${event.kind}`),
    ...ca,
  });
}

function authOf({ qbitApiKey, qbitUser, qbitPass }: Config): Auth {
  if (qbitApiKey !== undefined) return { kind: "apiKey", apiKey: qbitApiKey.reveal() };
  // qBittorrent's own default user name; a password alone is enough to mean "log in".
  if (qbitPass !== undefined) return { kind: "password", username: qbitUser ?? "admin", password: qbitPass.reveal() };
  return { kind: "none" };
}

/** qBittorrent as `PortSync` needs it. */
export function qbittorrentListener(client: QbitClient): Listener {
  return {
    async observe(signal) {
      const preferences = await client.app.preferences({ signal });
      const transfer = await client.transfer.info({ signal });
      return {
        listenPort: preferences.listen_port,
        randomPort: preferences.random_port,
        upnp: preferences.upnp,
        connection: transfer.connection_status,
      };
    },
    async listenOn({ port, disableUpnp, rebind }, signal) {
      await applyListenPort(client, { port, disableUpnp, rebind, signal });
    },
    async reannounceActive(signal) {
      const active = await client.torrents.info({ filter: "active", signal });
      const hashes = active.map(({ hash }) => hash);
      if (hashes.length > 0) await client.torrents.reannounce(hashes, { signal });
    },
  };
}
