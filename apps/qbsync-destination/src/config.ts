import { type ConfigOf, declareSettings, qbitSettings, setting } from "@qbit-sidecars/config";
import { serviceSettings } from "@qbit-sidecars/service";
import { securityRules, securitySettings } from "./security-settings.ts";

/** Where health and metrics are served unless told otherwise. */
export const defaultHealthAddr = ":8080";

/** Further variables for that address; HTTP_PORT and HEALTH_PORT are the seed's conventional ones. */
export const healthEnv = ["QBSYNC_DESTINATION_HEALTH_ADDR", "HTTP_PORT", "HEALTH_PORT"] as const;

const own = (name: string): readonly [string] => [`QBSYNC_DESTINATION_${name}`];

/** Every setting of qbsync-destination. Flags and QBSYNC_DESTINATION_* variables are the seed's. */
export const settings = declareSettings(
  {
    data: setting.path({
      env: own("DATA"),
      required: true,
      about:
        "Directory that torrents are stored in, as this program sees it; its own state is in .qbsync there.",
    }),
    listen: setting.address({
      env: [...own("LISTEN"), "GRPC_PORT", "PORT"],
      default: ":50051",
      about: "Where qbsync-source is listened for (gRPC).",
    }),
    savePath: setting.path({
      env: own("SAVE_PATH"),
      defaultText: "same as `--data`",
      about: "What qBittorrent calls --data.",
    }),
    ...qbitSettings({
      url: { env: own("QB_URL"), flag: "--qb-url" },
      user: { env: own("QB_USERNAME"), flag: "--qb-username" },
      pass: { env: own("QB_PASSWORD"), flag: "--qb-password" },
      apiKey: { env: own("QB_API_KEY") },
    }),
    pollInterval: setting.duration({
      env: own("POLL_INTERVAL"),
      unit: "s",
      default: "2s",
      min: "50ms",
      about: "How often qBittorrent is asked how far it is with a torrent that it was given.",
    }),
    pollTimeout: setting.duration({
      env: own("POLL_TIMEOUT"),
      unit: "s",
      default: "300s",
      min: "100ms",
      about: "How long qBittorrent may show no progress with such a torrent; the size does not matter.",
    }),
    streamWorkers: setting.integer({
      env: own("STREAM_WORKERS"),
      default: 0,
      min: 0,
      max: 256,
      about: "Writes to the disk at the same time, all connections together; 0 = 8.",
    }),
    maxStreamBuffer: setting.size({
      env: own("MAX_STREAM_BUFFER"),
      unit: "MB",
      default: "512MB",
      min: "16MB",
      about: "Memory for what was received and is not yet written, all connections together.",
    }),
    commitInterval: setting.duration({
      env: own("COMMIT_INTERVAL"),
      unit: "ms",
      default: "200ms",
      min: "1ms",
      max: "60s",
      about: "How long written pieces may wait for the fdatasync that makes them durable.",
    }),
    commitSize: setting.size({
      env: own("COMMIT_SIZE"),
      unit: "MiB",
      default: "64MiB",
      min: "1MiB",
      about: "Written bytes that bring that fdatasync forward.",
    }),
    keepFree: setting.size({
      env: own("KEEP_FREE"),
      unit: "GB",
      default: "1GB",
      about: "Free space in --data that is left alone; torrents that do not fit beside it wait.",
    }),
    spaceRetry: setting.duration({
      env: own("SPACE_RETRY"),
      unit: "s",
      default: "10s",
      min: "100ms",
      about: "How often a torrent that waits for space is tried again.",
    }),
    verify: setting.choice({
      env: own("VERIFY"),
      values: ["changed", "all"],
      default: "changed",
      about:
        "What is read and hashed once more before qBittorrent gets a torrent: files that changed since they were received, or all.",
    }),
    syncedTag: setting.text({
      env: own("SYNCED_TAG"),
      default: "synced",
      emptyIs: "value",
      about: "Tag for torrents that arrived complete; empty = none.",
    }),
    ...securitySettings,
    dryRun: setting.toggle({
      env: own("DRY_RUN"),
      default: false,
      about: "Say what would be received and reused, and write nothing.",
    }),
    ...serviceSettings({
      healthAddr: defaultHealthAddr,
      healthEnv,
      logLevelEnv: own("LOG_LEVEL"),
    }),
  },
  securityRules,
);

export type Config = ConfigOf<typeof settings>;
