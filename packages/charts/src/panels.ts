import type { Panel } from "./dashboard.ts";

const perFiveMinutes = (metric: string, label: string) => ({
  query: `sum by (${label}) (increase(${metric}{$chosen}[5m]))`,
  legend: `{{${label}}}`,
});

/** What an app's dashboard shows before what all of them show. Its README explains the metrics. */
export const panelsOf: Readonly<Record<string, readonly Panel[]>> = {
  "port-sync": [
    { title: "Port the VPN forwards", query: "port_sync_desired_port{$chosen}", unit: "none" },
    { title: "Port of qBittorrent", query: "port_sync_actual_port{$chosen}", unit: "none" },
    { title: "They agree", query: "port_sync_converged{$chosen}" },
    { title: "Seconds since they agreed", query: "port_sync_seconds_since_last_success{$chosen}", unit: "s" },
    { title: "Rebinds", ...perFiveMinutes("port_sync_rebinds_total", "reason") },
    { title: "Failures", ...perFiveMinutes("port_sync_failures_total", "reason") },
  ],
  "pia-forwarder": [
    { title: "Forwarded port", query: "pia_forwarder_port{$chosen}", unit: "none" },
    {
      title: "Days until the port ends",
      query: "(pia_forwarder_port_expiry_timestamp_seconds{$chosen} - time()) / 86400",
    },
    {
      title: "Seconds since it was bound",
      query: "time() - pia_forwarder_last_bind_timestamp_seconds{$chosen}",
      unit: "s",
    },
    { title: "Trouble", query: "pia_forwarder_trouble{$chosen}" },
    { title: "Failures", ...perFiveMinutes("pia_forwarder_failures_total", "reason") },
  ],
  "ntfy-sidecar": [
    { title: "Torrents watched", query: "ntfy_sidecar_tracked_torrents{$chosen}" },
    { title: "Notices that wait", query: "ntfy_sidecar_outbox_notices{$chosen}" },
    { title: "Notices sent", ...perFiveMinutes("ntfy_sidecar_notices_sent_total", "kind") },
    { title: "Notices refused", ...perFiveMinutes("ntfy_sidecar_notices_dropped_total", "kind") },
    { title: "Failures", ...perFiveMinutes("ntfy_sidecar_failures_total", "reason") },
  ],
};
