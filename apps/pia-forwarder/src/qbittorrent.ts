import { applyListenPort, type QbitClient } from "@qbit-sidecars/qbit-client";
import type { Listener } from "./give-port.ts";

/** qBittorrent as `GivePort` needs it. */
export function qbittorrentListener(client: QbitClient, { disableUpnp }: { disableUpnp: boolean }): Listener {
  return {
    async listenOn({ port, rebind }, signal) {
      const { outcome, before } = await applyListenPort(client, { port, rebind, disableUpnp, signal });
      return { outcome, before: before.port };
    },
    async isDeaf(signal) {
      const { connection_status } = await client.transfer.info({ signal });
      return connection_status === "disconnected";
    },
  };
}
