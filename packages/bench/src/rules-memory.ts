import { startFakeQbittorrent, tempDir } from "@qbit-sidecars/testing";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { megabytes, ratio, type Row } from "./figures.ts";
import { infoRules } from "./rules-to-measure.ts";

/** What qbt-rules 0.5 took for 10,000 torrents. */
const upstreamBytes = 115e6;

/** Peak memory of a process that runs 50 rules over the whole library three times. Linux and macOS. */
export async function rulesMemory(): Promise<Row[]> {
  await using folder = await tempDir();
  const file = join(folder.path, "rules.yml");
  await writeFile(file, JSON.stringify({ rules: infoRules(50) }));
  const rows: Row[] = [];
  for (const { torrents, aim } of [
    { torrents: 10_000, aim: "≤ 120 MB" },
    { torrents: 50_000, aim: "≤ 250 MB" },
  ]) {
    await using fake = await startFakeQbittorrent({ torrents });
    const job = fileURLToPath(new URL("rules-job.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [job, fake.url, file]);
    rows.push({
      figure: `rules: peak RSS, 50 rules over ${torrents} torrents, three runs`,
      value: megabytes(Number(stdout)),
      baseline: `${megabytes(upstreamBytes)}: qbt-rules 0.5, 10000 torrents`,
      ratio: ratio(Number(stdout), upstreamBytes),
      aim,
    });
  }
  return rows;
}
