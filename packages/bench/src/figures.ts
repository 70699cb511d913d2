/** One row of the table: a figure, the baseline measured in the same run, and what it should be. */
export type Row = {
  /** The same in every run: it is what a row is known by. */
  figure: string;
  value: string;
  baseline: string;
  /** `1.5×`, `53 %`, `10× as fast`; empty where there is no baseline. */
  ratio: string;
  aim: string;
  /** Which ratio is the better one. Default: what the aim or the unit says, else the lower one. */
  better?: "lower" | "higher";
  /** How many times worse the ratio may be than the accepted one. Default: by what is measured, see `guard.ts`. */
  tolerance?: number;
};

/** The p-th percentile (0 to 100) by the nearest-rank method. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((p / 100) * sorted.length));
  const value = sorted[rank - 1];
  if (value === undefined) throw new RangeError("no values to take a percentile of");
  return value;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function ratio(value: number, baseline: number): string {
  const times = value / baseline;
  return `${times < 1 ? times.toPrecision(2) : times.toFixed(1)}×`;
}

/** The rows as a Markdown table that also reads well in a terminal. */
export function table(rows: readonly Row[]): string {
  const heads = {
    figure: "Figure",
    value: "Measured",
    baseline: "Baseline of the same run",
    ratio: "Ratio",
    aim: "Aim",
  };
  const columns = ["figure", "value", "baseline", "ratio", "aim"] as const;
  const widths = columns.map((column) => Math.max(...[heads, ...rows].map((row) => row[column].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [
    line(columns.map((column) => heads[column])),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map((row) => line(columns.map((column) => row[column]))),
  ].join("\n");
}
