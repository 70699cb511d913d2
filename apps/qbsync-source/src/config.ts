import { type ConfigOf, declareSettings, qbitSettings, setting } from "@qbit-sidecars/config";
import { serviceSettings } from "@qbit-sidecars/service";
import { securityRules, securitySettings } from "./security-settings.ts";

/** Where health and metrics are served unless told otherwise. */
export const defaultHealthAddr = ":8080";

/** Further variables for that address; HTTP_PORT and HEALTH_PORT are the seed's conventional ones. */
export const healthEnv = ["QBSYNC_SOURCE_HEALTH_ADDR", "HTTP_PORT", "HEALTH_PORT"] as const;

const own = (name: string): readonly [string] => [`QBSYNC_SOURCE_${name}`];

/** What Kubernetes and pod specs set, and no person in a file or on a command line. */
const fromKubernetes = { flag: false, key: false, hidden: true } as const;

/** Every setting of qbsync-source. Flags and QBSYNC_SOURCE_* variables are the seed's. */
export const settings = declareSettings(
  {
    data: setting.path({
      env: own("DATA"),
      required: true,
      about:
        "Directory with qBittorrent's data as this program sees it; it stands for qBittorrent's default save path and may be read-only.",
    }),
    destinationAddr: setting.address({
      env: own("DESTINATION_ADDR"),
      required: true,
      hostRequired: true,
      about: "Address of qbsync-destination, such as 192.168.1.100:50051.",
    }),
    ...qbitSettings({
      url: { env: own("QB_URL"), flag: "--qb-url", required: true },
      user: { env: own("QB_USERNAME"), flag: "--qb-username" },
      pass: { env: own("QB_PASSWORD"), flag: "--qb-password" },
      apiKey: { env: own("QB_API_KEY") },
    }),
    savePath: setting.path({
      env: own("SAVE_PATH"),
      defaultText: "qBittorrent's default save path",
      about: "What qBittorrent calls --data, where that is not its default save path.",
    }),
    tempPath: setting.path({
      env: own("TEMP_PATH"),
      defaultText: "where qBittorrent's path leads from --data",
      about:
        "qBittorrent's folder for incomplete torrents as this program sees it, where it is not mounted at the same place relative to --data.",
    }),
    rateLimit: setting.size({
      env: own("RATE_LIMIT"),
      unit: "B",
      default: 0,
      about: "Bytes per second over the network, all torrents together; 0 = unlimited.",
    }),
    backlogRateLimit: setting.size({
      env: own("BACKLOG_RATE_LIMIT"),
      unit: "B",
      default: 0,
      about: "Bytes per second for torrents that are not downloading, within --rate-limit; 0 = unlimited.",
    }),
    window: setting.size({
      env: own("WINDOW"),
      unit: "MiB",
      default: "64MiB",
      min: "1MiB",
      max: "4GiB",
      about: "Bytes read and sent that the destination has not answered for, all torrents together.",
    }),
    numSenders: setting.integer({
      env: own("NUM_SENDERS"),
      default: 4,
      min: 1,
      max: 256,
      about: "Pieces being read and hashed at the same time.",
    }),
    minConnections: setting.integer({
      env: own("MIN_CONNECTIONS"),
      default: 2,
      min: 1,
      max: 64,
      about: "TCP connections to the destination that are kept open.",
    }),
    maxConnections: setting.integer({
      env: own("MAX_CONNECTIONS"),
      default: 8,
      min: 1,
      max: 64,
      about: "TCP connections to the destination while there is more to send than they carry.",
    }),
    pieceTimeout: setting.duration({
      env: own("PIECE_TIMEOUT"),
      unit: "s",
      default: "60s",
      min: "100ms",
      about: "How long the destination may take to answer for a piece before it is sent again.",
    }),
    reconnectMaxDelay: setting.duration({
      env: own("RECONNECT_MAX_DELAY"),
      unit: "s",
      default: "30s",
      min: "100ms",
      about: "Longest wait between two attempts to reach the destination.",
    }),
    sleep: setting.duration({
      env: own("SLEEP"),
      unit: "s",
      default: "30s",
      min: "100ms",
      about: "How often finished torrents, tags and free space are looked at.",
    }),
    pollInterval: setting.duration({
      env: own("POLL_INTERVAL"),
      unit: "s",
      default: "500ms",
      min: "50ms",
      about: "How often qBittorrent is asked what has changed while something downloads.",
    }),
    syncedTag: setting.text({
      env: own("SYNCED_TAG"),
      default: "synced",
      emptyIs: "value",
      about: "Tag for torrents that are complete at the destination; empty = none.",
    }),
    syncFailedTag: setting.text({
      env: own("SYNC_FAILED_TAG"),
      default: "sync-failed",
      emptyIs: "value",
      about: "Tag for torrents that cannot be synced; take it off to try again; empty = none.",
    }),
    excludeSyncTag: setting.text({
      env: own("EXCLUDE_SYNC_TAG"),
      default: "",
      emptyIs: "value",
      about: "Torrents with this tag are not synced; empty = none.",
    }),
    minSpace: setting.size({
      env: own("MIN_SPACE"),
      unit: "GB",
      default: "50GB",
      about: "Synced torrents are handed to the destination and removed here while less than this is free.",
    }),
    minSeedingTime: setting.duration({
      env: own("MIN_SEEDING_TIME"),
      unit: "s",
      default: "3600s",
      about: "How long a torrent must have been seeded before it is handed over.",
    }),
    sourceRemovedTag: setting.text({
      env: own("SOURCE_REMOVED_TAG"),
      default: "source-removed",
      emptyIs: "value",
      about: "Tag, at the destination, for torrents that are gone here; empty = none.",
    }),
    excludeCleanupTag: setting.text({
      env: own("EXCLUDE_CLEANUP_TAG"),
      default: "",
      emptyIs: "value",
      about: "Torrents with this tag are never removed here; empty = none.",
    }),
    settleTime: setting.duration({
      env: own("SETTLE_TIME"),
      unit: "s",
      default: "60s",
      about:
        "How long qBittorrent must have been up, with its list of torrents whole, before any torrent is removed here.",
    }),
    sourceName: setting.text({
      env: own("SOURCE_NAME"),
      default: "",
      emptyIs: "value",
      about:
        "Tells this source's torrents and hand-offs from those of other sources with the same destination.",
    }),
    drainAnnotation: setting.text({
      env: own("DRAIN_ANNOTATION"),
      default: "qbsync/drain",
      emptyIs: "value",
      about: 'Annotation of the pod that must be "true" for a drain on SIGTERM; empty = always drain.',
    }),
    drainTimeout: setting.duration({
      env: own("DRAIN_TIMEOUT"),
      unit: "s",
      default: "300s",
      about: "How long a drain may take.",
    }),
    ...securitySettings,
    podName: setting.text({ env: ["POD_NAME"], ...fromKubernetes, about: "This pod (metadata.name)." }),
    podNamespace: setting.text({
      env: ["POD_NAMESPACE"],
      ...fromKubernetes,
      about: "Its namespace; else that of the service account.",
    }),
    kubernetesHost: setting.text({
      env: ["KUBERNETES_SERVICE_HOST"],
      ...fromKubernetes,
      about: "The Kubernetes API, as the kubelet tells it.",
    }),
    kubernetesPort: setting.text({
      env: ["KUBERNETES_SERVICE_PORT"],
      ...fromKubernetes,
      about: "Its port.",
    }),
    serviceAccountDir: setting.path({
      env: own("SERVICE_ACCOUNT_DIR"),
      ...fromKubernetes,
      default: "/var/run/secrets/kubernetes.io/serviceaccount",
      about: "Where the token and the authority's certificate for the Kubernetes API are mounted.",
    }),
    dryRun: setting.toggle({
      env: own("DRY_RUN"),
      default: false,
      about: "Say what would be done, and do nothing.",
    }),
    ...serviceSettings({
      healthAddr: defaultHealthAddr,
      healthEnv,
      logLevelEnv: own("LOG_LEVEL"),
    }),
  },
  [
    ...securityRules,
    {
      of: ["minConnections", "maxConnections"],
      check: ({ minConnections: min, maxConnections: max }) =>
        min <= max
          ? undefined
          : {
              wrong: `${min} connections at least are more than ${max} at most`,
              right: "a minimum up to the maximum",
            },
    },
  ],
);

export type Config = ConfigOf<typeof settings>;
