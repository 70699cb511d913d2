import { QbitClient } from "@qbit-sidecars/qbit-client";
import { ClientQbittorrent, loadRules, runJob } from "@qbit-sidecars/rules";
import { makeTorrent, startQbittorrent, waitFor } from "@qbit-sidecars/testing";
import { median, milliseconds, ratio, type Row } from "./figures.ts";
import { mixedRules } from "./rules-to-measure.ts";

const torrents = 200;
const runs = 5;

/** The same rules on real qBittorrents, beside listing their torrents once. */
export async function rulesOnReal(): Promise<Row[]> {
  const loaded = loadRules(JSON.stringify({ rules: mixedRules() }));
  if (!loaded.ok) throw new Error("loading the rules to measure: they are wrong");
  const rows: Row[] = [];
  for (const version of ["4.5.2", "5.3.0"] as const) {
    await using server = await startQbittorrent({ version });
    using client = new QbitClient({ url: server.url });
    const files = Array.from(
      { length: torrents },
      (_, at) =>
        makeTorrent({ version: "v1", name: `t${at}`, files: [{ path: `film-${at}.mkv`, size: 20_000 + at }] })
          .torrent,
    );
    await client.torrents.add({ files, stopped: true });
    await waitFor(async () => (await client.torrents.info()).length === torrents, {
      what: "all torrents to be listed",
      timeoutMs: 60_000,
    });
    const qbittorrent = new ClientQbittorrent(client);
    const listing = await timed(async () => void (await client.torrents.info()));
    const job = await timed(async () => void (await runJob({}, { ruleset: loaded.ruleset, qbittorrent })));
    rows.push({
      figure: `rules, qBittorrent ${version} with ${torrents} torrents: 47 + trackers, files, properties`,
      value: milliseconds(job),
      baseline: `${milliseconds(listing)} listing them once`,
      ratio: ratio(job, listing),
      aim: "",
    });
  }
  return rows;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return median(times);
}
