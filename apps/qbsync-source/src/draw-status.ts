import { formatDuration } from "@qbit-sidecars/config";
import { fitted, plainName } from "./terminal-text.ts";

/** What `GET /status` says of one torrent, as far as it is drawn. */
export type ShownTorrent = {
  id: string;
  name: string;
  state: string;
  size_bytes: number;
  here: number;
  there_bytes: number | null;
};

export type ShownStatus = {
  address: string;
  destination?: { program: string; connections: number } | undefined;
  dry_run: boolean;
  in_flight_bytes: number;
  answer_ms: number | null;
  torrents: readonly ShownTorrent[];
};

/** Bytes per second, all together and by torrent. */
export type Rates = { all: number; torrents: ReadonlyMap<string, number> };

export type DrawOptions = { columns: number; rows: number; hasColor: boolean; showsAll: boolean };

const barWidth = { least: 10, most: 30 };

/** Draws one picture of the status: a line each for the link, the figures, and every torrent that is on its way. */
export function drawStatus(status: ShownStatus, rates: Rates, options: DrawOptions): string[] {
  const { torrents } = status;
  const paint = options.hasColor ? painted : plain;
  const synced = torrents.filter(({ state }) => state === "synced");
  const syncing = torrents
    .filter(({ state }) => state === "syncing")
    .toSorted((a, b) => shareOf(b) - shareOf(a));
  const others = torrents.filter(({ state }) => state !== "synced" && state !== "syncing");
  const shown = [...syncing, ...others, ...(options.showsAll ? synced : [])];
  const room = Math.max(1, options.rows - 6);
  const lines = [
    linkLine(status),
    `sending ${formatRate(rates.all)}, ${formatBytes(status.in_flight_bytes)} under way, ${answerText(status)}`,
    "",
    ...shown.slice(0, room).map((torrent) => torrentLine(torrent, { rates, options, paint })),
    ...(shown.length > room ? [`… and ${shown.length - room} more`] : []),
    summary({ synced: synced.length, syncing: syncing.length, others: others.length }),
  ];
  return lines.map((line) => (hasPaint(line) ? line : fitted(line, options.columns).trimEnd()));
}

function linkLine({ address, destination, dry_run: isDry }: ShownStatus): string {
  const dry = isDry ? "dry run: nothing is sent. " : "";
  if (destination === undefined) return `${dry}${address} is away`;
  return `${dry}to ${plainName(destination.program)} at ${address}, ${destination.connections} connections`;
}

const answerText = ({ answer_ms: ms }: ShownStatus): string =>
  ms === null ? "no piece answered for yet" : `answers after ${Math.round(ms)} ms`;

type LineContext = { rates: Rates; options: DrawOptions; paint: Paint };

function torrentLine(torrent: ShownTorrent, { rates, options: { columns }, paint }: LineContext): string {
  if (torrent.state !== "syncing") return reasonLine(torrent, columns);
  const share = shareOf(torrent);
  const rate = rates.torrents.get(torrent.id) ?? 0;
  const left = Math.max(0, torrent.size_bytes * torrent.here - (torrent.there_bytes ?? 0));
  const figures = `${String(Math.floor(share * 100)).padStart(3)} %  ${formatRate(rate).padStart(10)}  ${etaText(left, rate)}`;
  // On a narrow terminal the bar goes first, then the name is cut.
  const spare = columns - figures.length - 2;
  const bar = Math.min(barWidth.most, Math.floor(spare / 2));
  if (bar < barWidth.least) return `${fitted(plainName(torrent.name), Math.max(8, spare))}${figures}`;
  const name = fitted(plainName(torrent.name), spare - bar - 2);
  return `${name} ${paint(barOf(share, torrent.here, bar))} ${figures}`;
}

function reasonLine({ name, state }: ShownTorrent, columns: number): string {
  const width = Math.max(8, Math.floor(columns / 2) - 1);
  return `${fitted(plainName(name), width)} ${plainName(state)}`;
}

/** There; here and not yet there; not here. */
type Bar = { there: string; here: string; missing: string };

function barOf(share: number, here: number, width: number): Bar {
  const there = Math.round(Math.min(1, share) * width);
  const downloaded = Math.max(there, Math.round(Math.min(1, here) * width));
  return {
    there: "█".repeat(there),
    here: "▒".repeat(downloaded - there),
    missing: "░".repeat(width - downloaded),
  };
}

type Paint = (bar: Bar) => string;

const plain: Paint = ({ there, here, missing }) => `${there}${here}${missing}`;
const painted: Paint = ({ there, here, missing }) => `\u001b[32m${there}\u001b[33m${here}\u001b[0m${missing}`;
const hasPaint = (line: string): boolean => line.includes("\u001b[");

function shareOf({ size_bytes: size, there_bytes: there }: ShownTorrent): number {
  if (there === null) return 0;
  return size === 0 ? 1 : there / size;
}

function etaText(leftBytes: number, rate: number): string {
  if (leftBytes < 1) return "waits for pieces";
  if (rate < 1) return "-";
  return formatDuration(Math.max(1, Math.round(leftBytes / rate)) * 1000);
}

function summary(counts: Record<string, number>): string {
  const { synced = 0, syncing = 0, others = 0 } = counts;
  return `${synced} synced, ${syncing} on their way, ${others} waiting or left alone (GET /plan says why)`;
}

const formatRate = (bytesPerSecond: number): string => `${formatBytes(bytesPerSecond)}/s`;

/** Three figures and a unit. */
function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const at = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** at;
  return `${value < 10 && at > 0 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}
