import type { Download } from "./download.ts";

/** Go's math.Round(pct / 10) cells of ten, as the seed draws them. */
export function progressBar(percent: number): string {
  const filled = Math.min(10, Math.round(percent / 10));
  return `[${"█".repeat(filled)}${"░".repeat(10 - filled)}]`;
}

/** Seconds as Go's time.Duration prints them (`1h2m3s`, `45s`); qBittorrent's 8640000 means ∞. */
export function formatEta(seconds: number): string {
  if (seconds >= 8_640_000 || seconds < 0) return "∞";
  const whole = Math.trunc(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) return `${hours}h${minutes}m${whole % 60}s`;
  return minutes > 0 ? `${minutes}m${whole % 60}s` : `${whole}s`;
}

/** Bytes a second, in units of 1024 × 1024 which the seed calls MB. */
export function formatSpeed(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1024 / 1024).toFixed(1)} MB/s`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 0) return "unknown";
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

const fields: Readonly<Record<string, (download: Download) => string>> = {
  name: ({ name }) => name,
  hash: ({ id }) => id,
  category: ({ category }) => category,
  tags: ({ tags }) => tags.join(", "),
  size: ({ sizeBytes }) => formatBytes(sizeBytes),
  percent: ({ percent }) => `${percent}%`,
  bar: ({ percent }) => progressBar(percent),
  speed: ({ speedBytes }) => formatSpeed(speedBytes),
  eta: ({ etaSeconds }) => formatEta(etaSeconds),
  state: ({ state }) => state,
  path: ({ path }) => path,
};

const placeholder = /\{(\w+)\}/g;

/** Fills `{name}` and its like in once: what a torrent is called is never read as a template. */
export function fill(
  template: string,
  download: Download,
  escape: (text: string) => string = String,
): string {
  return template
    .replaceAll("\\n", "\n")
    .replaceAll(placeholder, (_, field: string) => escape(fields[field]?.(download) ?? ""));
}

/** Why a template cannot be filled in; undefined when it can. */
export function templateProblem(template: string | undefined): string | undefined {
  const names = [...(template ?? "").matchAll(placeholder)].map(([, name = ""]) => name);
  const unknown = names.find((name) => !Object.hasOwn(fields, name));
  return unknown === undefined ? undefined : `{${unknown}} is not known`;
}
