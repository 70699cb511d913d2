import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { readPage, repository } from "./pages.ts";

const contributing = await readPage("CONTRIBUTING.md");

/** The lines of the tree in CONTRIBUTING.md, as paths: folders end with a slash. */
function treeOf(text: string): string[] {
  const [, block = ""] = /^## The tree\n\n```\n([^]*?)\n```/mu.exec(text) ?? [];
  let parent = "";
  return block.split("\n").flatMap((line) => {
    const isChild = line.startsWith(" ");
    const paths = pathsAtStart(line.trim().split(/\s+/u));
    if (!isChild) parent = paths.length === 1 && paths[0]?.endsWith("/") ? paths[0] : "";
    return isChild ? paths.map((path) => parent + path) : paths;
  });
}

/** Several of a kind stand on one line: `Dockerfile  docker-bake.hcl   one image for each app`. */
function pathsAtStart(words: readonly string[]): string[] {
  const end = words.findIndex((word) => !/^(?:[\w.<>-]+\/|\.?[\w.-]+\.\w+|Dockerfile|LICENSE)$/u.test(word));
  return words.slice(0, end === -1 ? words.length : end);
}

const tree = treeOf(contributing);

const foldersIn = async (parent: string) =>
  (await readdir(new URL(parent, repository), { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && !/^(?:node_modules|\.git|\.turbo)$/u.test(entry.name))
    .map(({ name }) => `${parent}${name}/`);

test("the tree has every app, package and chart, and nothing else", async () => {
  const apps = await foldersIn("apps/");
  const charts = await foldersIn("charts/");
  const isOfApp = (chart: string) => apps.includes(chart.replace("charts/", "apps/"));
  const expected = [
    ...apps,
    ...(await foldersIn("packages/")),
    ...charts.filter((chart) => !isOfApp(chart)),
    "charts/<app>/",
  ];
  expect(tree.filter((path) => /^(?:apps|packages|charts)\/./u.test(path)).toSorted()).toEqual(
    expected.toSorted(),
  );
  expect(charts.filter(isOfApp)).toHaveLength(apps.length);
});

test("the tree has everything that lies at the root", async () => {
  const hidden = ["node_modules", ".git", ".turbo", ".ci", ".gitignore", ".dockerignore"];
  const generated = ["package.json", "pnpm-lock.yaml"];
  const entries = await readdir(repository, { withFileTypes: true });
  const expected = entries
    .filter(({ name }) => ![...hidden, ...generated].includes(name))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  const atRoot = tree.filter((path) => /^[^/]+\/?$/u.test(path));
  expect(atRoot.toSorted()).toEqual(expected.toSorted());
});

test("CONTRIBUTING.md names the files that every app has, and each dependency of the catalog with a reason", async () => {
  for (const app of await foldersIn("apps/")) {
    const files = await readdir(new URL(`${app}src`, repository));
    const [, rows = ""] = /^## Where everything lives\n([^]*?)\n## /mu.exec(contributing) ?? [];
    const named = [...rows.matchAll(/^\| `([a-z]+\.ts)` \|/gmu)].map(([, file]) => file);
    expect(named).toEqual(["main.ts", "program.ts", "app.ts", "config.ts", "doctor.ts"]);
    expect(files).toEqual(expect.arrayContaining(named));
  }
  const { catalog }: { catalog: Record<string, string> } = parse(await readPage("pnpm-workspace.yaml"));
  const [, table = ""] = /^## Dependencies\n([^]*)$/mu.exec(contributing) ?? [];
  const reasons = [...table.matchAll(/^\| (.+?) \| (.+) \|$/gmu)].flatMap(([, names = ""]) =>
    [...names.matchAll(/`([^`]+)`/gu)].map(([, name]) => name),
  );
  expect(new Set(reasons)).toEqual(new Set(Object.keys(catalog)));
});
