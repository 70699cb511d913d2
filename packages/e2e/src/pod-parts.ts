/** All seven, in the order they are started. */
export const appNames = [
  "port-sync",
  "pia-forwarder",
  "ntfy-sidecar",
  "rules-server",
  "rules-worker",
  "qbsync-destination",
  "qbsync-source",
] as const;
export type AppName = (typeof appNames)[number];

/** What stands between two processes of the pod, named by who is called. */
export type LinkName = "source" | "home" | "ntfy" | "redis" | "qbsync";

/** Everything that must never be seen in a log. Empty strings: nothing is asked for. */
export type PodSecrets = {
  qbittorrentPassword: string;
  redisPassword: string;
  ntfyPassword: string;
  trackToken: string;
  rulesKey: string;
  qbsyncToken: string;
  piaUsername: string;
  piaPassword: string;
};

/** Where notifications go. */
export const topic = "downloads";
/** The name that goes with every password here. */
export const username = "admin";
