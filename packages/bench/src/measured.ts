import { readFile, rename, writeFile } from "node:fs/promises";
import { type Row, table } from "./figures.ts";
import { headlines } from "./headlines.ts";

/** Where and with what figures were measured. */
export type Setting = {
  /** 2026-11-28 */
  readonly date: string;
  /** 2 × AMD EPYC, linux x64 */
  readonly machine: string;
  /** Node v26.10.0 */
  readonly versions: string;
};

export type Measured = { readonly [benchmark: string]: Setting & { readonly rows: readonly Row[] } };

/** What `measured.json` holds; nothing when there is none. */
export async function readMeasured(file: URL): Promise<Measured> {
  return (await readJson<Measured>(file)) ?? {};
}

/** The same with the rows of one benchmark replaced, in the given order; benchmarks that are no more are left out. */
export function withRows(
  measured: Measured,
  { name, rows, setting }: { name: string; rows: readonly Row[]; setting: Setting },
  order: readonly string[],
): Measured {
  const all: Measured = { ...measured, [name]: { ...setting, rows } };
  const there = order.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]] as const]));
  return Object.fromEntries(there);
}

/** What docs/figures.md shows of them: what most were measured with, what was not, and one table. */
export function figuresBlock(measured: Measured): string {
  const settings = Object.entries(measured).map(([name, { date, machine, versions }]) => ({
    name,
    text: `${machine}, ${versions}; ${date}`,
  }));
  const byText = Map.groupBy(settings, ({ text }) => text);
  const [most, ...others] = [...byText].toSorted(([, a], [, b]) => b.length - a.length);
  if (most === undefined) return "Nothing was measured yet.";
  const also = others.map(([text, of]) => `Of ${of.map(({ name }) => `\`${name}\``).join(", ")}: ${text}.`);
  const rows = Object.values(measured).flatMap(({ rows: own }) => own);
  return [[`${most[0]}.`, ...also].join(" "), table(rows)].join("\n\n");
}

/** What the README shows of them: the figures that stand for the others, without their aims. */
export function headlinesBlock(measured: Measured): string {
  const rows = Object.values(measured).flatMap(({ rows: own }) => own);
  const shown = headlines.flatMap((headline) => rows.filter(({ figure }) => figure === headline));
  const lines = shown.map(
    ({ figure, value, baseline, ratio }) => `| ${figure} | ${value} | ${baseline} | ${ratio} |`,
  );
  return ["| figure | measured | beside, in the same run | ratio |", "|---|---|---|---|", ...lines].join(
    "\n",
  );
}

export async function readJson<T>(file: URL): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new Error(`reading ${file.pathname}`, { cause: error });
  }
}

/** Whole or not at all: a run that is stopped leaves the file of before. */
export async function writeJson(file: URL, value: unknown): Promise<void> {
  const draft = new URL(`${file.href}.new`);
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`);
  await rename(draft, file);
}
