import { startFakeQbittorrent, tempDir } from "@qbit-sidecars/testing";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { megabytes, ratio, type Row } from "./figures.ts";
import { infoRules, mixedRules } from "./rules-to-measure.ts";

const cases = [
  { torrents: 10_000, what: "50 rules on info.*", rules: infoRules(50), aim: "≤ 120 MB" },
  { torrents: 50_000, what: "50 rules on info.*", rules: infoRules(50), aim: "≤ 250 MB" },
  { torrents: 10_000, what: "47 + trackers, files, properties", rules: mixedRules(), aim: "≤ 120 MB" },
  { torrents: 50_000, what: "47 + trackers, files, properties", rules: mixedRules(), aim: "≤ 250 MB" },
];

/** Peak memory of a process that runs rules over the whole library three times, bundled as in an image. Linux only. */
export async function rulesMemory(): Promise<Row[]> {
  await using folder = await tempDir();
  const program = join(folder.path, "job.cjs");
  await bundle(program);
  const peak = async (...args: string[]) =>
    Number((await promisify(execFile)(process.execPath, [program, ...args])).stdout);
  const rows: Row[] = [];
  for (const { torrents, what, rules, aim } of cases) {
    await using fake = await startFakeQbittorrent({ torrents });
    const file = join(folder.path, "rules.json");
    await writeFile(file, JSON.stringify({ rules }));
    const listing = await peak(fake.url);
    const job = await peak(fake.url, file);
    rows.push({
      figure: `rules: peak RSS, ${what}, ${torrents} torrents, three runs`,
      value: megabytes(job),
      baseline: `${megabytes(listing)} listing them as one list`,
      ratio: ratio(job, listing),
      aim,
    });
  }
  return rows;
}

/** Node strips the types of sources with a compiler of its own, which would be half of the memory measured. */
async function bundle(file: string): Promise<void> {
  const input = fileURLToPath(new URL("rules-job.ts", import.meta.url));
  const build = await rolldown({ input, platform: "node" });
  await build.write({ file, format: "cjs", minify: true, codeSplitting: false });
  await build.close();
}
