/** The figures of which the README's short table is made, each by its name; docs/figures.md has all of them. */
export const headlines: readonly string[] = [
  "port-sync: port file written → qBittorrent answers with it, p50 of 200",
  "port-sync: cold start to first sync done (--once), median of 9",
  "rules, 10000 torrents: 50 rules on info.*",
  "rules, 10000 torrents: 7,145 tag actions",
  "rules-server, SQLite: one webhook, submit to done, 10000 torrents, p50 of 300",
  "rules-server: peak RSS, 50 rules over 10000 torrents, three runs",
  "qbsync-destination: loopback, pieces of 4 MiB, durable",
  "qbsync: 1 Gbit/s, 100ms round trip, connections: 8",
];
