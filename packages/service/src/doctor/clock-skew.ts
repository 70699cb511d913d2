import { type Finding, ok, problem, unknown } from "./check.ts";

/** Within this two clocks count as equal: a Date header knows whole seconds, and an answer takes its time. */
const toleratedMs = 30_000;

export type ClockReading = {
  /** Whose clock: `qBittorrent`. */
  readonly whose: string;
  /** What it says: a Date header, or milliseconds since 1970; undefined where it does not tell. */
  readonly theirs: string | number | undefined;
  /** Ours, before and after the question. */
  readonly askedMs: number;
  readonly answeredMs: number;
  /** What goes wrong when they differ. */
  readonly matters: string;
};

/** Compares this machine's clock with another's. Which of them is wrong cannot be told. */
export function compareClocks({ whose, theirs, askedMs, answeredMs, matters }: ClockReading): Finding {
  const theirMs = typeof theirs === "string" ? Date.parse(theirs) : theirs;
  if (theirMs === undefined || Number.isNaN(theirMs))
    return unknown(`${whose} does not tell its time`, "compare `date` on both machines");
  const earliest = askedMs - theirMs - 1000;
  const latest = answeredMs - theirMs;
  const off = earliest > 0 ? earliest : Math.min(0, latest);
  if (Math.abs(off) <= toleratedMs) return ok(`this clock and that of ${whose} agree`);
  const seconds = Math.round(Math.abs(off) / 1000);
  return problem(
    `this clock is ${seconds} s ${off > 0 ? "ahead of" : "behind"} that of ${whose}: ${matters}`,
    "keep both machines' time by NTP (chrony, systemd-timesyncd); containers have their machine's",
  );
}
