import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { megabytes, ratio, type Row } from "./figures.ts";

/** Size of an app's bundle, as a registry would store it. */
export async function bundleSize(app: string): Promise<Row[]> {
  const bundle = await readFile(new URL(`../../../apps/${app}/dist/main.js`, import.meta.url));
  const compressed = await promisify(gzip)(bundle, { level: 9 });
  const row = { baseline: "1.0 MB allowed", ratio: ratio(compressed.length, 1e6), aim: "≤ 1 MB" };
  const value = `${(compressed.length / 1e3).toFixed(0)} kB (${megabytes(bundle.length)} unpacked)`;
  return [{ figure: `${app}: bundle, gzip -9`, value, ...row }];
}
