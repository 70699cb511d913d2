import { startFakeQbittorrent, tempDir } from "@qbit-sidecars/testing";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rolldown, type RolldownOptions } from "rolldown";
import { megabytes, ratio, type Row } from "./figures.ts";
import { infoRules, mixedRules } from "./rules-to-measure.ts";

const cases = [
  { torrents: 10_000, what: "50 rules on info.*", rules: infoRules(50), aim: "≤ 120 MB" },
  { torrents: 50_000, what: "50 rules on info.*", rules: infoRules(50), aim: "≤ 250 MB" },
  { torrents: 10_000, what: "47 + trackers, files, properties", rules: mixedRules(), aim: "≤ 120 MB" },
  { torrents: 50_000, what: "47 + trackers, files, properties", rules: mixedRules(), aim: "≤ 250 MB" },
];

/** What the images of rules-server and rules-worker start Node with: see the Dockerfile. */
const asInImage = { args: ["--optimize-for-size"], env: { MALLOC_ARENA_MAX: "1" } };

/** Peak memory of a process that runs rules over the whole library three times, bundled as in an image. Linux only. */
export async function rulesMemory(): Promise<Row[]> {
  await using folder = await tempDir();
  const program = await bundle(folder.path);
  const peak = async (...args: string[]) =>
    Number(
      (await promisify(execFile)(process.execPath, [...asInImage.args, program, ...args], asInImage)).stdout,
    );
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

/**
 * Into one file, as apps are for their images. Sources would not do: Node strips their types with a compiler of its
 * own, which would be half of the memory that is measured.
 */
async function bundle(folder: string): Promise<string> {
  // By its address: packages import nothing that is outside of them.
  const config = new URL("../../../rolldown.config.ts", import.meta.url).href;
  const { default: bundling }: { default: RolldownOptions } = await import(config);
  const build = await rolldown({
    platform: "node",
    plugins: bundling.plugins,
    input: { job: fileURLToPath(new URL("rules-job.ts", import.meta.url)) },
  });
  await build.write({ format: "cjs", codeSplitting: false, minify: true, dir: folder });
  await build.close();
  return join(folder, "job.js");
}
