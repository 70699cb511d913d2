import type { Row } from "./figures.ts";
import type { Measured } from "./measured.ts";

/** A ratio that a person has accepted, and how much worse a later one may be before it is told. */
export type AcceptedRow = {
  readonly ratio: number;
  readonly better: "lower" | "higher";
  /** Factor: with 1.5 a ratio may be half as bad again. May be edited by hand; accepting anew keeps it. */
  readonly tolerance: number;
};

export type Accepted = { readonly [benchmark: string]: { readonly [figure: string]: AcceptedRow } };

export type Finding = {
  readonly benchmark: string;
  readonly figure: string;
  readonly kind: "worse" | "better" | "new" | "gone" | "same";
  /** For people. */
  readonly text: string;
};

/** The number of a ratio: of `1.5×`, `0.4×`, `53 %`, `10× as fast`; undefined when there is none. */
export function ratioOf({ ratio }: Row): number | undefined {
  const [, digits, unit] = /^([\d.]+)\s*(×|%)/u.exec(ratio.replaceAll(",", "")) ?? [];
  if (digits === undefined) return undefined;
  const value = unit === "%" ? Number(digits) / 100 : Number(digits);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

/** Which way is better: as the row says, else as its aim, its ratio or its unit do; most are times and sizes. */
export function betterOf({ better, aim, ratio, value }: Row): "lower" | "higher" {
  if (better !== undefined) return better;
  if (aim.startsWith("≥")) return "higher";
  if (aim.startsWith("≤") || aim.startsWith("<")) return "lower";
  return ratio.includes("as fast") || ratio.includes("%") || /(jobs|[kMG]?B)\/s/u.test(value)
    ? "higher"
    : "lower";
}

/**
 * How much worse a ratio may be, by what is measured: sizes are the same each time, memory nearly so; times move
 * with the machine even beside a baseline, and the last percentile most of all.
 */
export function toleranceOf({ tolerance, figure }: Row): number {
  if (tolerance !== undefined) return tolerance;
  if (/\b(bundle|image|images)\b/u.test(figure) && !/memory/u.test(figure)) return 1.1;
  if (/memory|RSS/u.test(figure)) return 1.25;
  return /\b(p99|worst)\b/u.test(figure) ? 2.5 : 1.6;
}

/** What to accept of what was measured. Benchmarks that were not are kept, and so are tolerances of known rows. */
export function accept(accepted: Accepted, measured: Measured): Accepted {
  const anew = Object.entries(measured).map(([benchmark, { rows }]) => {
    const known = accepted[benchmark] ?? {};
    const own = rows.flatMap((row) => {
      const ratio = ratioOf(row);
      if (ratio === undefined) return [];
      const tolerance = known[row.figure]?.tolerance ?? toleranceOf(row);
      return [[row.figure, { ratio, better: betterOf(row), tolerance }] as const];
    });
    return [benchmark, Object.fromEntries(own)] as const;
  });
  return { ...accepted, ...Object.fromEntries(anew) };
}

/** Compares what was measured with what was accepted. Seconds and bytes are another machine's; ratios are not. */
export function compare(accepted: Accepted, measured: Measured): Finding[] {
  return Object.entries(measured).flatMap(([benchmark, { rows }]) => {
    const known = accepted[benchmark] ?? {};
    const now = new Map(rows.map((row) => [row.figure, row]));
    const gone = Object.keys(known).filter((figure) => !now.has(figure));
    return [
      ...rows.flatMap((row) => compareRow(row, { benchmark, accepted: known[row.figure] })),
      ...gone.map((figure): Finding => {
        const text = "is accepted, and no longer measured";
        return { benchmark, figure, kind: "gone", text };
      }),
    ];
  });
}

/** Of two measurements of the same benchmarks, each row with its better ratio: a busy moment is no regression. */
export function bestOf(first: Measured, second: Measured): Measured {
  const names = Object.entries(first).map(([name, measured]) => {
    const again = new Map(second[name]?.rows.map((row) => [row.figure, row]));
    return [
      name,
      { ...measured, rows: measured.rows.map((row) => betterRow(row, again.get(row.figure))) },
    ] as const;
  });
  return Object.fromEntries(names);
}

function betterRow(row: Row, other: Row | undefined): Row {
  const [one, two] = [ratioOf(row), other && ratioOf(other)];
  if (other === undefined || two === undefined) return row;
  if (one === undefined) return other;
  return two < one === (betterOf(row) === "lower") ? other : row;
}

/** Whether a finding is one that a guard has to stop at. */
export function isBad({ kind }: Finding): boolean {
  return kind === "worse" || kind === "gone";
}

export function tell({ benchmark, figure, text }: Finding): string {
  return `${benchmark}: ${figure}: ${text}`;
}

function compareRow(
  row: Row,
  { benchmark, accepted }: { benchmark: string; accepted: AcceptedRow | undefined },
): Finding[] {
  const about = { benchmark, figure: row.figure };
  const ratio = ratioOf(row);
  if (accepted === undefined)
    return ratio === undefined ? [] : [{ ...about, kind: "new", text: `${row.ratio}, not accepted yet` }];
  if (ratio === undefined)
    return [
      {
        ...about,
        kind: "gone",
        text: `has no ratio any more (${row.value}); ${accepted.ratio} was accepted`,
      },
    ];
  const factor = accepted.better === "lower" ? ratio / accepted.ratio : accepted.ratio / ratio;
  const kind = factor > accepted.tolerance ? "worse" : factor < 1 / accepted.tolerance ? "better" : "same";
  const how =
    kind === "better" ? `${(1 / factor).toFixed(2)} times better` : `${factor.toFixed(2)} times worse`;
  const allowed = kind === "better" ? "worth accepting" : `${accepted.tolerance} is allowed`;
  const measured = `(${row.value}${row.baseline === "" ? "" : ` beside ${row.baseline}`})`;
  return [{ ...about, kind, text: `ratio ${accepted.ratio} → ${ratio}, ${how}, ${allowed} ${measured}` }];
}
