/** A program that people come from, and every variable that its documentation names. */
export type Predecessor = {
  /** Names the block of docs/migrating.md. */
  readonly name: string;
  readonly app: string;
  /** Its default as its documentation writes it; "" for none. */
  readonly variables: Readonly<Record<string, string>>;
  /** Why a default is another one, or what else a person has to know of a variable. */
  readonly notes?: Readonly<Record<string, string>>;
};

export const predecessors: readonly Predecessor[] = [
  {
    name: "gluetun-port-sync",
    app: "port-sync",
    variables: {
      QBIT_ADDR: "http://localhost:8080",
      QBIT_USER: "",
      QBIT_PASS: "",
      PORT_FILE: "/tmp/gluetun/forwarded_port",
      LOG_LEVEL: "info",
    },
  },
  {
    name: "qbit-ntfy-sidecar",
    app: "ntfy-sidecar",
    variables: { QBIT_HOST: "http://localhost:8080", QBIT_USER: "", QBIT_PASS: "", NTFY_TOPIC: "" },
    notes: {
      QBIT_USER: "was required; not needed where localhost is let in",
      QBIT_PASS: "was required; not needed where localhost is let in",
      NTFY_TOPIC: "the whole URL as before, or the topic's name alone with `NTFY_SERVER`",
    },
  },
  {
    name: "qb-sync-source",
    app: "qbsync-source",
    variables: {
      QBSYNC_SOURCE_DATA: "",
      QBSYNC_SOURCE_QB_URL: "",
      QBSYNC_SOURCE_QB_USERNAME: "",
      QBSYNC_SOURCE_QB_PASSWORD: "",
      QBSYNC_SOURCE_DESTINATION_ADDR: "",
      QBSYNC_SOURCE_MIN_SPACE: "50",
      QBSYNC_SOURCE_MIN_SEEDING_TIME: "3600",
      QBSYNC_SOURCE_SLEEP: "30",
      QBSYNC_SOURCE_RATE_LIMIT: "0",
      QBSYNC_SOURCE_PIECE_TIMEOUT: "60",
      QBSYNC_SOURCE_RECONNECT_MAX_DELAY: "30",
      QBSYNC_SOURCE_NUM_SENDERS: "4",
      QBSYNC_SOURCE_MIN_CONNECTIONS: "2",
      QBSYNC_SOURCE_MAX_CONNECTIONS: "8",
      QBSYNC_SOURCE_SYNCED_TAG: "synced",
      QBSYNC_SOURCE_SOURCE_REMOVED_TAG: "source-removed",
      QBSYNC_SOURCE_EXCLUDE_CLEANUP_TAG: "",
      QBSYNC_SOURCE_DRAIN_ANNOTATION: "qbsync/drain",
      QBSYNC_SOURCE_DRAIN_TIMEOUT: "300",
      QBSYNC_SOURCE_HEALTH_ADDR: ":8080",
      QBSYNC_SOURCE_LOG_LEVEL: "info",
      QBSYNC_SOURCE_DRY_RUN: "false",
      HTTP_PORT: "",
      HEALTH_PORT: "",
    },
    notes: { QBSYNC_SOURCE_HEALTH_ADDR: "the charts set `:9106`, beside qBittorrent's 8080" },
  },
  {
    name: "qb-sync-destination",
    app: "qbsync-destination",
    variables: {
      QBSYNC_DESTINATION_DATA: "",
      QBSYNC_DESTINATION_LISTEN: ":50051",
      QBSYNC_DESTINATION_SAVE_PATH: "",
      QBSYNC_DESTINATION_QB_URL: "",
      QBSYNC_DESTINATION_QB_USERNAME: "",
      QBSYNC_DESTINATION_QB_PASSWORD: "",
      QBSYNC_DESTINATION_POLL_INTERVAL: "2",
      QBSYNC_DESTINATION_POLL_TIMEOUT: "300",
      QBSYNC_DESTINATION_STREAM_WORKERS: "0",
      QBSYNC_DESTINATION_MAX_STREAM_BUFFER: "512",
      QBSYNC_DESTINATION_SYNCED_TAG: "synced",
      QBSYNC_DESTINATION_HEALTH_ADDR: ":8080",
      QBSYNC_DESTINATION_LOG_LEVEL: "info",
      QBSYNC_DESTINATION_DRY_RUN: "false",
      HTTP_PORT: "",
      HEALTH_PORT: "",
      GRPC_PORT: "",
      PORT: "",
    },
    notes: { QBSYNC_DESTINATION_HEALTH_ADDR: "the charts set `:9107`, beside qBittorrent's 8080" },
  },
  {
    name: "pia-qbittorrent-sync",
    app: "pia-forwarder",
    variables: {
      PIA_USERNAME: "",
      PIA_PASSWORD: "",
      PIA_TOKEN_FILE: "/var/run/pia_token",
      PIA_GATEWAY: "10.0.0.1",
      PIA_HOSTNAME: "",
      PIA_CA_CERT: "",
      QBITTORRENT_HOST: "",
      QBITTORRENT_USERNAME: "",
      QBITTORRENT_PASSWORD: "",
      CHECK_INTERVAL: "300",
    },
    notes: {
      PIA_TOKEN_FILE: "read, and never written; what is kept is in `STATE_DIR`",
      PIA_GATEWAY: "looked for when it is not set; the old default is asked last",
      CHECK_INTERVAL: "above 900 it is refused: PIA takes the port away after 15 minutes",
    },
  },
  {
    name: "qbt-rules",
    app: "rules-server",
    variables: {
      QBT_RULES_SERVER_HOST: "0.0.0.0",
      QBT_RULES_SERVER_PORT: "5000",
      QBT_RULES_SERVER_API_KEY: "",
      QBT_RULES_SERVER_WORKERS: "1",
      QBT_RULES_QUEUE_BACKEND: "sqlite",
      QBT_RULES_QUEUE_SQLITE_PATH: "/config/qbt-rules.db",
      QBT_RULES_QUEUE_REDIS_URL: "",
      QBT_RULES_QUEUE_CLEANUP_AFTER: "7d",
      QBT_RULES_CLIENT_SERVER_URL: "http://localhost:5000",
      QBT_RULES_CLIENT_API_KEY: "",
      QBT_RULES_QBITTORRENT_HOST: "http://localhost:8080",
      QBT_RULES_QBITTORRENT_USERNAME: "admin",
      QBT_RULES_QBITTORRENT_PASSWORD: "",
      QBT_RULES_RULES_FILE: "/config/rules.yml",
      QBT_RULES_CONFIG_DIR: "/config",
      QBT_RULES_LOG_LEVEL: "INFO",
      QBT_RULES_LOG_FILE: "/config/qbt-rules.log",
    },
    notes: {
      QBT_RULES_SERVER_WORKERS: "taken and without effect: one process answers, and runs never overlap",
      QBT_RULES_QBITTORRENT_PASSWORD:
        "was required; not needed where localhost is let in, or with an API key",
      QBT_RULES_QUEUE_SQLITE_PATH: "in the config folder",
      QBT_RULES_RULES_FILE: "in the config folder",
      QBT_RULES_LOG_FILE: "in the config folder",
      QBT_RULES_CLIENT_SERVER_URL: "or whichever port the server is told",
      QBT_RULES_CLIENT_API_KEY: "the server's, where it is known here",
    },
  },
];
