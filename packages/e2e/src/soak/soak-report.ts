import { type LedgerLine, wrongIn } from "./ledger.ts";
import type { MemoryLine } from "./memory.ts";
import { type FaultKind, faultKinds } from "./plan-faults.ts";
import type { Recovery } from "./run-faults.ts";

/** All that a soak found out. */
export type SoakReport = {
  seed: number;
  minutes: number;
  ledger: LedgerLine[];
  /** What was not done at the end, by name. */
  open: string[];
  recoveries: Recovery[];
  memory: MemoryLine[];
  /** Secrets that were seen where none may be. */
  leaks: string[];
  /** Characters of logs, metrics and statuses that were searched for them. */
  looked: Readonly<Record<string, number>>;
  /** Apps that ended although nobody asked them to, and how. */
  crashes: Readonly<Record<string, readonly string[]>>;
  /** Why the run itself broke off. */
  brokeOff: string | undefined;
};

/** Everything that is wrong with it, one sentence each; empty when the pod has kept its promises. */
export function wrongWith({ ledger, leaks, brokeOff, crashes }: SoakReport): string[] {
  return [
    ...(brokeOff === undefined ? [] : [brokeOff]),
    ...wrongIn(ledger),
    ...leaks.map((leak) => `secret seen: ${leak}`),
    ...Object.entries(crashes)
      .filter(([, ends]) => ends.length > 0)
      .map(([name, ends]) => `${name} ended by itself: ${ends.join(", ")}`),
  ];
}

/** The report as a person reads it. */
export function describeReport(report: SoakReport): string {
  const wrong = wrongWith(report);
  return [
    table(
      ["event", "promised", "sent", "done", "lost", "again", "p50", "max"],
      report.ledger.map((line) => [
        line.kind,
        line.promised,
        String(line.sent),
        String(line.done),
        String(line.lost),
        String(line.duplicated),
        seconds(line.p50Ms),
        seconds(line.maxMs),
      ]),
    ),
    ...report.open.map((what) => `open: ${what}`),
    table(
      ["fault", "times", "all apps ready again, p50", "max"],
      faultKinds.map((kind) => recoveryRow(kind, report.recoveries)),
    ),
    table(
      ["memory", "peak", "slope after warm-up", "observed"],
      report.memory.map(({ name, peakMb, slopeMbPerHour, observedMinutes }) => [
        name,
        `${peakMb.toFixed(1)} MB`,
        slopeMbPerHour === undefined ? "too short to tell" : `${slopeMbPerHour.toFixed(1)} MB/h`,
        `${observedMinutes.toFixed(1)} min`,
      ]),
    ),
    `secrets: ${report.leaks.length} seen in ${kilobytes(report.looked)} kB of logs, metrics and statuses`,
    `seed ${report.seed}, ${report.minutes.toFixed(1)} minutes: ${wrong.length === 0 ? "all promises kept" : wrong.join("; ")}`,
  ].join("\n\n");
}

function recoveryRow(kind: FaultKind, recoveries: readonly Recovery[]): string[] {
  const times = recoveries
    .filter((one) => one.kind === kind)
    .map(({ ms }) => ms)
    .toSorted((a, b) => a - b);
  return [kind, String(times.length), seconds(times[Math.floor(times.length / 2)]), seconds(times.at(-1))];
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? "–" : `${(ms / 1000).toFixed(1)} s`;
}

function kilobytes(looked: Readonly<Record<string, number>>): number {
  return Math.round(Object.values(looked).reduce((sum, count) => sum + count, 0) / 1000);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}
