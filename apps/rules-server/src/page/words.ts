import type { JobRow } from "./api.ts";
import { h } from "./dom.ts";

const classes: Readonly<Record<string, string>> = {
  completed: "good",
  done: "good",
  yes: "good",
  healthy: "good",
  ok: "good",
  failed: "bad",
  unhealthy: "bad",
  none: "bad",
  processing: "wait",
  planned: "wait",
  unknown: "wait",
  stale: "wait",
};

export function badge(word: string): HTMLElement {
  return h("span", { class: `badge ${classes[word] ?? ""}` }, word);
}

/** A time that tells itself exactly when it is pointed at. */
export function when(iso: string | null): HTMLElement | string {
  if (iso === null) return "";
  const date = new Date(iso);
  return h("time", { datetime: iso, title: date.toLocaleString() }, ago(Date.now() - date.getTime()));
}

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

export function ago(ms: number): string {
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const [unit, size] = units.find(([, each]) => Math.abs(ms) >= each) ?? ["second", 1000];
  return words.format(-Math.trunc(ms / size), unit);
}

export function duration({ started_at: from, completed_at: to }: JobRow): string {
  if (from === null || to === null) return "";
  const ms = Date.parse(to) - Date.parse(from);
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export const shortId = (id: string): string => id.slice(0, 8);

/** "finished, Some.Torrent"; its id where it is not known by name (yet) */
export function subject({ context, hash, result }: Pick<JobRow, "context" | "hash" | "result">): string {
  const name = result?.["torrent_name"];
  const one = typeof name === "string" ? name : `torrent ${shortId(hash ?? "")}`;
  const torrents = hash === null ? "all torrents" : one;
  return context === null ? torrents : `${context}, ${torrents}`;
}

/** What came of a job, in a few words. */
export function outcome(job: JobRow): string {
  const { status, error, result, dry_run: isDry, waits_for: waitsFor, waits_until: dueAt } = job;
  if (status === "failed") return error?.split("\n", 1)[0] ?? "";
  if (waitsFor !== null) return waitsFor;
  if (status === "pending" && dueAt !== null) return `starts ${ago(Date.now() - Date.parse(dueAt))}`;
  if (result === null) return "";
  const number = (name: string) => Number(result[name] ?? 0);
  const count = number(isDry ? "actions_planned" : "actions_executed");
  const words = [`${count} ${isDry ? "would change" : "changed"}`, `${number("total_torrents")} seen`];
  if (number("errors") > 0) words.push(`${number("errors")} errors`);
  if (typeof result["not_ready"] === "string") words.push(`not ready: ${result["not_ready"]}`);
  if (typeof result["note"] === "string") words.push(result["note"]);
  return words.join(", ");
}

/** A value as it was and as it is: of lists only what went and what came. */
export function difference(before: unknown, after: unknown): HTMLElement {
  if (Array.isArray(before) && Array.isArray(after)) {
    const gone = before.filter((item) => !after.includes(item)).map((item) => h("del", {}, plain(item)));
    const come = after
      .filter((item) => !before.includes(item))
      .map((item) => h("ins", {}, `+${plain(item)}`));
    return h("span", {}, ...[...gone, ...come].flatMap((part) => [part, " "]));
  }
  const was = isNothing(before) ? [] : [h("del", {}, plain(before)), " "];
  return h("span", {}, ...was, "→ ", h("ins", {}, plain(after)));
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function plain(value: unknown): string {
  if (isNothing(value)) return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}
