import { type ChartedApp, chartedApps } from "@qbit-sidecars/charts";
import { isCalledByHooks, type Neighbour, neighboursOf, sends } from "./neighbours.ts";
import { arrow, type Box, box, document, looks } from "./svg.ts";
import { depthOf, reduced, type Workspace } from "./workspace.ts";

const margin = 20;
const column = 158;
const size = { width: 138, height: 36 };
const rows = { neighbours: 20, qbittorrent: 126, apps: 226, packages: 336 };
const step = 84;
const width = margin * 2 + column * chartedApps.length;

/** The SVG of docs/architecture.md: with whom each app talks above it, what it is built on below. */
export function drawArchitecture(workspace: Workspace): string {
  const apps = new Map(chartedApps.map(({ name }, index) => [name, appBox(index)]));
  const packages = placePackages(workspace, apps);
  const neighbours = placeNeighbours();
  const places = new Map([...apps, ...packages]);
  const height = Math.max(...[...packages.values()].map(bottom)) + margin;
  return document({ width, height }, "Who talks with whom, and what is built on what", [
    ...chartedApps.flatMap((app, index) => talks(app, appBox(index), neighbours)),
    ...[...reduced(workspace)].flatMap(([name, below]) =>
      [...below].map((other) => downwards(places.get(name), places.get(other))),
    ),
    ...[...neighbours].map(([name, at]) => box(at, name, looks.outside)),
    ...qbittorrents(),
    ...streams(apps),
    ...[...apps].map(([name, at]) => box(at, name, looks.app)),
    ...[...packages].map(([name, at]) => box(at, name, looks.package)),
  ]);
}

const center = ({ x, width: wide }: Box): number => x + wide / 2;
const bottom = ({ y, height }: Box): number => y + height;

function appBox(index: number): Box {
  return { x: margin + index * column + (column - size.width) / 2, y: rows.apps, ...size };
}

/** Above the middle of those that talk with it, none upon another. */
function placeNeighbours(): Map<Neighbour, Box> {
  const users = new Map<Neighbour, number[]>();
  for (const [index, app] of chartedApps.entries())
    for (const neighbour of neighboursOf(app))
      users.set(neighbour, [...(users.get(neighbour) ?? []), center(appBox(index))]);
  users.delete("qBittorrent");
  const wanted = [...users].map(([name, xs]) => [name, xs.reduce((a, b) => a + b) / xs.length] as const);
  let free = margin;
  const placed = wanted
    .toSorted(([, a], [, b]) => a - b)
    .map(([name, x]) => {
      const left = Math.max(free, x - size.width / 2);
      free = left + size.width + 12;
      return [name, { x: left, y: rows.neighbours, ...size }] as const;
    });
  return new Map(placed);
}

/** One bar above all that talk with the first one; the receiver of a stream has a second one. */
function qbittorrents(): string[] {
  const last = chartedApps.length - 1;
  const first: Box = { x: margin, y: rows.qbittorrent, width: column * last - 12, height: size.height };
  const second: Box = { x: margin + column * last, y: rows.qbittorrent, width: column, height: size.height };
  return [box(first, "qBittorrent", looks.outside), box(second, "a second qBittorrent", looks.outside)];
}

function talks(app: ChartedApp, at: Box, neighbours: ReadonlyMap<Neighbour, Box>): string[] {
  return [...neighboursOf(app)].map((neighbour) => {
    const isBoth = neighbour === "qBittorrent" && isCalledByHooks(app);
    const other = neighbours.get(neighbour);
    const from = [center(at) + (other ? 24 : 0), at.y] as const;
    const to = [other ? center(other) : center(at), bottom(other ?? { ...at, y: rows.qbittorrent })] as const;
    return arrow(from, to, { isBoth });
  });
}

/** Pieces, from one app to the other. */
function streams(apps: ReadonlyMap<string, Box>): string[] {
  const from = apps.get(sends?.name ?? "");
  if (from === undefined) return [];
  const y = from.y + from.height / 2;
  return [arrow([from.x + from.width, y], [from.x + column, y])];
}

/** In rows by what stands above each, within a row under the middle of that. */
function placePackages(workspace: Workspace, apps: ReadonlyMap<string, Box>): Map<string, Box> {
  const names = [...workspace.keys()].filter((name) => !apps.has(name));
  const places = new Map(apps);
  for (let depth = 1; places.size < workspace.size; depth += 1) {
    const row = names.filter((name) => depthOf(name, workspace) === depth);
    const wanted = row.map((name) => [name, middleOfUsers(name, workspace, places)] as const);
    let free = margin;
    for (const [name, x] of wanted.toSorted(([, a], [, b]) => a - b)) {
      const left = Math.max(free, x - size.width / 2 - (row.length - 1) * 40);
      free = left + size.width + 20;
      places.set(name, { x: left, y: rows.packages + (depth - 1) * step, ...size });
    }
  }
  return new Map([...places].filter(([name]) => !apps.has(name)));
}

function middleOfUsers(name: string, workspace: Workspace, places: ReadonlyMap<string, Box>): number {
  const users = [...reduced(workspace)].filter(([, below]) => below.has(name));
  const xs = users.flatMap(([user]) => places.get(user) ?? []).map(center);
  return xs.reduce((a, b) => a + b, 0) / Math.max(1, xs.length);
}

function downwards(from: Box | undefined, to: Box | undefined): string {
  if (from === undefined || to === undefined) throw new Error("an arrow that leads nowhere");
  return arrow([center(from), bottom(from)], [center(to), to.y]);
}
