import type { Panel } from "./dashboard.ts";

const perFiveMinutes = (metric: string, label: string) => ({
  query: `sum by (${label}) (increase(${metric}{$chosen}[5m]))`,
  legend: `{{${label}}}`,
});

/** Of what runs rules. */
const runPanels: readonly Panel[] = [
  {
    title: "One run of the rules, 95th percentile",
    query: "histogram_quantile(0.95, sum by (le) (rate(qbt_rules_run_duration_seconds_bucket{$chosen}[5m])))",
    legend: "p95",
    unit: "s",
  },
  { title: "Actions", ...perFiveMinutes("qbt_rules_actions_total", "action") },
  { title: "Deletions held back", query: "increase(qbt_rules_held_total{$chosen}[5m])" },
  {
    title: "Conditions nobody could answer",
    query: "increase(qbt_rules_condition_errors_total{$chosen}[5m])",
  },
];

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
  "rules-server": [
    {
      title: "Jobs that wait",
      query: 'qbt_rules_jobs{$chosen, status=~"pending|processing"}',
      legend: "{{status}}",
    },
    { title: "Jobs done", ...perFiveMinutes("qbt_rules_jobs_total", "outcome") },
    { title: "qBittorrent answers", query: "qbt_rules_qbittorrent_up{$chosen}" },
    { title: "The rules file is in force", query: "qbt_rules_rules_in_force{$chosen}" },
    ...runPanels,
    {
      title: "Answers of the API, 95th percentile",
      query:
        "histogram_quantile(0.95, sum by (le, route) (rate(qbt_rules_http_request_duration_seconds_bucket{$chosen}[5m])))",
      legend: "{{route}}",
      unit: "s",
    },
  ],
  "rules-worker": [
    { title: "Jobs done", ...perFiveMinutes("qbt_rules_jobs_total", "outcome") },
    ...runPanels,
  ],
  "qbsync-source": [
    { title: "Bytes sent", query: "rate(qbsync_pieces_sent_bytes_total{$chosen}[5m])", unit: "Bps" },
    { title: "Torrents on their way", query: "qbsync_active_torrents{$chosen}" },
    { title: "Torrents at the destination", query: "qbsync_finished_torrents{$chosen}" },
    { title: "Bytes without an answer yet", query: "qbsync_inflight_bytes{$chosen}", unit: "bytes" },
    {
      title: "From sent to written, 95th percentile",
      query: "histogram_quantile(0.95, sum by (le) (rate(qbsync_piece_rtt_seconds_bucket{$chosen}[5m])))",
      legend: "p95",
      unit: "s",
    },
    { title: "Connections", query: "qbsync_grpc_connections_active{$chosen}" },
    { title: "What became of torrents", ...perFiveMinutes("qbsync_sync_outcomes_total", "result") },
    { title: "Pieces that could not be read", ...perFiveMinutes("qbsync_pieces_unreadable_total", "reason") },
    { title: "Free where the data is", query: "qbsync_data_free_bytes{$chosen}", unit: "bytes" },
    { title: "Hand-offs", ...perFiveMinutes("qbsync_hand_offs_total", "outcome") },
  ],
  "qbsync-destination": [
    { title: "Bytes made durable", query: "rate(qbsync_durable_bytes_total{$chosen}[5m])", unit: "Bps" },
    { title: "Torrents", query: "qbsync_torrents{$chosen}", legend: "{{phase}}" },
    { title: "Answers to pieces", ...perFiveMinutes("qbsync_piece_answers_total", "outcome") },
    { title: "Torrents finished", ...perFiveMinutes("qbsync_finalizations_total", "result") },
    {
      title: "Making pieces durable, 95th percentile",
      query:
        "histogram_quantile(0.95, sum by (le) (rate(qbsync_commit_duration_seconds_bucket{$chosen}[5m])))",
      legend: "p95",
      unit: "s",
    },
    { title: "Bytes in memory", query: "qbsync_buffered_bytes{$chosen}", unit: "bytes" },
    { title: "Pieces lost", query: "increase(qbsync_lost_pieces_total{$chosen}[5m])" },
  ],
};
