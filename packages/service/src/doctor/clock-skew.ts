import { type Finding, ok, problem, unknown } from "./check.ts";

/** Within this two clocks count as equal: a Date header knows whole seconds, and an answer takes its time. */
const toleratedMs = 30_000;

export type ClockReading = {
  /** Whose clock: `qBittorrent`. */
  readonly whose: string;
  /** What it says: a Date header, or milliseconds since 1970; undefined where it does not tell. */
  readonly theirs: string | number | undefined;
  /** Theirs is a public server's, whose time others keep: it is this one that would be wrong. */
  readonly isReference?: boolean;
  /** Ours, before and after the question. */
  readonly askedMs: number;
  readonly answeredMs: number;
  /** What goes wrong when they differ. */
  readonly matters: string;
};

/** Compares this machine's clock with another's. Which of them is wrong cannot be told, unless one is a reference. */
export function compareClocks(reading: ClockReading): Finding {
  const { whose, theirs, isReference = false, askedMs, answeredMs, matters } = reading;
  const theirMs = typeof theirs === "string" ? Date.parse(theirs) : theirs;
  if (theirMs === undefined || Number.isNaN(theirMs))
    return unknown(`${whose} does not tell its time`, compareByHand(isReference));
  const earliest = askedMs - theirMs - 1000;
  const latest = answeredMs - theirMs;
  const off = earliest > 0 ? earliest : Math.min(0, latest);
  if (Math.abs(off) <= toleratedMs) return ok(`this clock and that of ${whose} agree`);
  const seconds = Math.round(Math.abs(off) / 1000);
  return problem(
    `this clock is ${seconds} s ${off > 0 ? "ahead of" : "behind"} that of ${whose}: ${matters}`,
    `keep ${isReference ? "this machine's" : "both machines'"} time by NTP (chrony, systemd-timesyncd); containers have their machine's`,
  );
}

/** What to do where a clock cannot be asked. */
export function compareByHand(isReference: boolean): string {
  return `compare \`date\` ${isReference ? "with the time of day" : "on both machines"}`;
}
