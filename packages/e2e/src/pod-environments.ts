import type { FakePia } from "@qbit-sidecars/testing";
import { join } from "node:path";
import { type AppName, type LinkName, type PodSecrets, topic, username } from "./pod-parts.ts";

/** What apps have to know of each other and of the servers. */
export type PodPlaces = {
  folder: string;
  secrets: PodSecrets;
  health: Record<AppName, string>;
  pia: FakePia;
  portFile: string;
  savePaths: { source: string; home: string };
  /** Where ntfy-sidecar hears of added and finished torrents. */
  hooksUrl: string;
  ntfyToken: string;
  /** Where qbsync-destination itself listens; `ports.qbsync` is where it is called. */
  qbsyncPort: number;
  ports: Record<LinkName, number>;
};

type Start = { args?: readonly string[]; env: Record<string, string> };

/** What each app is started with: the variables a Compose file would give it, with intervals short enough to watch. */
export function podEnvironments(places: PodPlaces): Record<AppName, Start> {
  const { secrets } = places;
  const url = (link: LinkName) => `http://127.0.0.1:${places.ports[link]}`;
  const login = secrets.qbittorrentPassword === "" ? {} : qbittorrentLogin(secrets);
  const started = (name: AppName, env: Record<string, string>): Record<string, string> => ({
    HEALTH_ADDR: new URL(places.health[name]).host,
    ...login,
    ...env,
  });
  return {
    "port-sync": {
      env: started("port-sync", {
        QBIT_ADDR: url("source"),
        PORT_FILE: places.portFile,
        SYNC_INTERVAL: "5s",
        POLL_INTERVAL: "1s",
      }),
    },
    "pia-forwarder": {
      env: started("pia-forwarder", { ...piaSettings(places), QBITTORRENT_HOST: url("home") }),
    },
    "ntfy-sidecar": { env: started("ntfy-sidecar", { ...ntfySettings(places), QBIT_HOST: url("source") }) },
    "rules-server": { args: ["--serve"], env: rulesServerSettings(places, url("source")) },
    "rules-worker": { env: started("rules-worker", rulesSettings(places, url("source"))) },
    "qbsync-destination": {
      env: started("qbsync-destination", {
        QBSYNC_DESTINATION_DATA: places.savePaths.home,
        QBSYNC_DESTINATION_QB_URL: url("home"),
        QBSYNC_DESTINATION_LISTEN: `127.0.0.1:${places.qbsyncPort}`,
        QBSYNC_DESTINATION_POLL_INTERVAL: "500ms",
        QBSYNC_DESTINATION_KEEP_FREE: "1MB",
        QBSYNC_DESTINATION_SPACE_RETRY: "1s",
        QBSYNC_DESTINATION_TOKEN: secrets.qbsyncToken,
        QBSYNC_DESTINATION_TLS_CERT_FILE: join(places.folder, "qbsync.crt"),
        QBSYNC_DESTINATION_TLS_KEY_FILE: join(places.folder, "qbsync.key"),
      }),
    },
    "qbsync-source": {
      args: ["source"],
      env: started("qbsync-source", {
        QBSYNC_SOURCE_DATA: places.savePaths.source,
        QBSYNC_SOURCE_QB_URL: url("source"),
        QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${places.ports.qbsync}`,
        QBSYNC_SOURCE_RECONNECT_MAX_DELAY: "1s",
        QBSYNC_SOURCE_SLEEP: "5s",
        QBSYNC_SOURCE_SETTLE_TIME: "2s",
        // No Kubernetes that could say that the machine goes away: whoever stops it, or asks, means it.
        QBSYNC_SOURCE_DRAIN_ANNOTATION: "",
        QBSYNC_SOURCE_DRAIN_TIMEOUT: "5s",
        QBSYNC_SOURCE_TOKEN: secrets.qbsyncToken,
        QBSYNC_SOURCE_TLS_CA_FILE: join(places.folder, "qbsync-ca.crt"),
      }),
    },
  };
}

/** The names that all apps know. */
function qbittorrentLogin({ qbittorrentPassword }: PodSecrets): Record<string, string> {
  return { QBIT_USER: username, QBIT_PASS: qbittorrentPassword };
}

function piaSettings({ pia, folder }: PodPlaces): Record<string, string> {
  return {
    PIA_USERNAME: pia.username,
    PIA_PASSWORD: pia.password,
    PIA_TOKEN_FILE: join(folder, "pia_token"),
    PIA_TOKEN_URL: pia.tokens.url,
    PIA_GATEWAY: pia.gateway.address,
    PIA_GATEWAY_PORT: String(pia.port),
    PIA_HOSTNAME: pia.gateway.hostname,
    PIA_CA_CERT: join(folder, "ca.rsa.4096.crt"),
    STATE_DIR: join(folder, "state", "pia-forwarder"),
    CHECK_INTERVAL: "2s",
  };
}

function ntfySettings({ ports, secrets, ntfyToken, hooksUrl, folder }: PodPlaces): Record<string, string> {
  const { ntfyPassword, trackToken } = secrets;
  return {
    NTFY_TOPIC: `http://127.0.0.1:${ports.ntfy}/${topic}`,
    ...(ntfyPassword !== "" && { NTFY_USER: username, NTFY_PASS: ntfyPassword, NTFY_TOKEN: ntfyToken }),
    ...(trackToken !== "" && { TRACK_TOKEN: trackToken }),
    LISTEN_ADDR: new URL(hooksUrl).host,
    HOOK_URL: hooksUrl,
    NTFY_BURST: "100000",
    STATE_DIR: join(folder, "state", "ntfy-sidecar"),
    POLL_INTERVAL: "1s",
    PROGRESS_INTERVAL: "1s",
    PROGRESS_STEP: "20",
  };
}

function rulesSettings(
  { folder, ports, secrets }: PodPlaces,
  qbittorrentUrl: string,
): Record<string, string> {
  const { redisPassword } = secrets;
  const credentials = redisPassword === "" ? "" : `:${encodeURIComponent(redisPassword)}@`;
  return {
    QBT_RULES_CONFIG_DIR: join(folder, "state", "rules"),
    QBT_RULES_QBITTORRENT_HOST: qbittorrentUrl,
    QBT_RULES_QUEUE_BACKEND: "redis",
    QBT_RULES_QUEUE_REDIS_URL: `redis://${credentials}127.0.0.1:${ports.redis}/0`,
  };
}

/** Its health is on the listener of its API. */
function rulesServerSettings(places: PodPlaces, qbittorrentUrl: string): Record<string, string> {
  const { hostname, port } = new URL(places.health["rules-server"]);
  return {
    ...(places.secrets.qbittorrentPassword !== "" && qbittorrentLogin(places.secrets)),
    ...rulesSettings(places, qbittorrentUrl),
    QBT_RULES_WORKER: "off",
    QBT_RULES_LOG_FILE: "",
    QBT_RULES_SERVER_HOST: hostname,
    QBT_RULES_SERVER_PORT: port,
    QBT_RULES_SERVER_API_KEY: places.secrets.rulesKey,
  };
}
