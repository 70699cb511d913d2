import { expect, test } from "vitest";
import type { Row } from "./figures.ts";
import { figuresOf, imagesBlock, pulls } from "./image-figures.ts";

const row = (figure: string, value: string, baseline: string): Row => ({
  figure,
  value,
  baseline,
  ratio: "",
  aim: "",
});

const rowsOf = (app: string, [own, idle, after]: [string, string, string]): Row[] => [
  row(figuresOf(app).own, own, "60.5 MB the base that all share"),
  row(figuresOf(app).idle, `${idle} (72.0 MB)`, "8.4 MB (43.0 MB) bare node"),
  row(figuresOf(app).after, `${after} (73.0 MB)`, "8.5 MB (43.1 MB) bare node"),
];

test("the table has a line for each app, what they share, and what is to be pulled", () => {
  const rows = [
    row(pulls.one, "60.9 MB", "15.0 MB, hoped for of static Go binaries"),
    row(pulls.all, "63.2 MB", "30.0 MB, hoped for of static Go binaries"),
    ...rowsOf("port-sync", ["215 kB", "22.4 MB", "22.8 MB"]),
    ...rowsOf("rules-server", ["817 kB", "46.2 MB", "53.5 MB"]),
  ];
  const images = { date: "2026-11-28", machine: "2 × CPU", versions: "Node v26", rows };
  expect(imagesBlock({ images }).split("\n").slice(2)).toEqual([
    "| port-sync | 215 kB | 22.4 MB | 22.8 MB |",
    "| rules-server | 817 kB | 46.2 MB | 53.5 MB |",
    "| the base that all share, with nothing but Node running | 60.5 MB | 8.4 MB |  |",
    "| **to pull: one app / all of them** | **60.9 MB / 63.2 MB** |  |  |",
    "",
    "2 × CPU, Node v26; 2026-11-28.",
  ]);
});

test("nothing measured yet is said", () => {
  expect(imagesBlock({})).toBe("Nothing was measured yet.");
});
