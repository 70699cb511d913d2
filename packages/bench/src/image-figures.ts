import type { Row } from "./figures.ts";
import type { Measured } from "./measured.ts";

/** How many requests a container has answered when its memory is measured again. */
export const requests = 2000;

/** The names of the figures of one app's image. */
export const figuresOf = (app: string) => ({
  own: `image of ${app}: its own layers, gzip`,
  idle: `image of ${app}: memory idle, private (with node's shared pages)`,
  after: `image of ${app}: memory after ${requests} requests, private (with node's shared pages)`,
});

export const pulls = { one: "images: to pull for one app, on average", all: "images: to pull for all" };

/** The README's table of images: a line for each app, and what all of them share. */
export function imagesBlock({ images }: Measured): string {
  if (images === undefined) return "Nothing was measured yet.";
  const { rows, date, machine, versions } = images;
  const find = (figure: string): Row | undefined => rows.find((row) => row.figure === figure);
  const value = (figure: string): string => amountOf(find(figure)?.value);
  const apps = rows.flatMap(({ figure }) => /^image of (\S+): its own layers/u.exec(figure)?.slice(1) ?? []);
  const base = figuresOf(apps[0] ?? "");
  const line = (...cells: string[]) => `| ${cells.join(" | ")} |`;
  return [
    line("measured by `npm run bench -- images`", "own layer", "memory idle", `after ${requests} requests`),
    "|---|---|---|---|",
    ...apps.map((app) => {
      const { own, idle, after } = figuresOf(app);
      return line(app, value(own), value(idle), value(after));
    }),
    line(
      "the base that all share, with nothing but Node running",
      amountOf(find(base.own)?.baseline),
      amountOf(find(base.idle)?.baseline),
      "",
    ),
    line("**to pull: one app / all of them**", `**${value(pulls.one)} / ${value(pulls.all)}**`, "", ""),
    "",
    `${machine}, ${versions}; ${date}.`,
  ].join("\n");
}

/** The number and its unit, which is what a cell begins with. */
function amountOf(cell = ""): string {
  return /^[\d.]+ \S+/u.exec(cell)?.[0] ?? "";
}
