import { applyListenPort, chooseAuth, QbitClient } from "@qbit-sidecars/qbit-client";
import type { Service } from "@qbit-sidecars/service";
import type { Config } from "./config.ts";
import type { Listener } from "./give-port.ts";
import { readCertificate } from "./read-certificate.ts";

/** The client that the settings describe. @throws when the CA file cannot be read */
export async function openQbittorrent(config: Config, { clock, log }: Service): Promise<QbitClient> {
  return new QbitClient({
    url: config.qbitUrl,
    auth: chooseAuth({
      apiKey: config.qbitApiKey?.reveal(),
      username: config.qbitUser,
      password: config.qbitPass?.reveal(),
    }),
    timeoutMs: config.qbitTimeout,
    ca: await readCertificate(config.qbitCaCertFile, "QBIT_CA_CERT_FILE"),
    insecureSkipVerify: config.qbitInsecureSkipVerify,
    clock,
    onEvent: ({ type, ...event }) => log.debug(event, `qBittorrent: ${type}`),
  });
}

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
