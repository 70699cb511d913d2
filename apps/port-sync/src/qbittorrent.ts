import { applyListenPort, type QbitClient } from "@qbit-sidecars/qbit-client";
import type { Listening } from "./plan-sync.ts";
import type { Listener } from "./sync-port.ts";

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
