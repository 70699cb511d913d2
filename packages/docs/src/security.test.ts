import { chartedApps } from "@qbit-sidecars/charts";
import { parseSize } from "@qbit-sidecars/config";
import { readmeBlock } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { listenersTable } from "./listeners.ts";
import { readPage, repository } from "./pages.ts";

const page = await readPage("SECURITY.md");

test("SECURITY.md has every listener with its default", async () => {
  await expect(
    readmeBlock(new URL("SECURITY.md", repository), "listeners", listenersTable()),
  ).resolves.toBeUndefined();
});

test("nothing but what has to be reached by others listens on every interface", () => {
  const open = listenersTable()
    .split("\n")
    .filter((row) => row.includes("every interface"))
    .map((row) => row.split("|").at(-2)?.trim());
  expect(
    open.filter(
      (about) => !/^Where \/healthz|^Port to listen on: API|^Where qbsync-source/u.test(about ?? ""),
    ),
  ).toEqual([]);
});

test("every app has its row in the threat model", () => {
  const model = page.slice(page.indexOf("## App by app"), page.indexOf("## Listeners"));
  for (const { name } of chartedApps) expect(model).toContain(`| ${name} |`);
});

const bounds = [...page.matchAll(/^\|.*?\| ([\d.]+)(?: ([KM]i)?B)? \| `([^`]+\.ts)` `(\w+)` \|$/gmu)];

test("the bounds are told one by one", () => {
  const rows = page.slice(page.indexOf("## What is bounded"), page.indexOf("## Dependencies")).split("\n");
  const withFile = rows.filter((row) => row.startsWith("|") && row.includes(".ts`"));
  expect(bounds).toHaveLength(withFile.length);
  expect(bounds.length).toBeGreaterThan(25);
});

describe.each(
  bounds.map(([, number = "", unit = "", file = "", name = ""]) => ({ number, unit, file, name })),
)("$name in $file", ({ number, unit, file, name }) => {
  test(`is ${number} ${unit}`, async () => {
    const source = await readPage(file);
    const [, written = ""] =
      new RegExp(`\\b${name}(?: =|:) ([\\d_]+(?: \\* (?:[\\d_]+|mebibyte))*)\\b`, "u").exec(source) ?? [];
    const factors = written.replaceAll("_", "").replaceAll("mebibyte", "1048576").split(" * ").map(Number);
    const bound = factors.reduce((product, factor) => product * factor, 1);
    expect(bound).toBe(Number(number) * ({ Ki: 1024, Mi: 1024 * 1024 }[unit] ?? 1));
    // A bound that nobody uses is none.
    expect(source.split(name).length).toBeGreaterThan(isOption(source, name) ? 1 : 2);
  });
});

/** Given to somebody else, who keeps it. */
const isOption = (source: string, name: string): boolean =>
  new RegExp(`${name}:|\\.${name} =|export const ${name}`, "u").test(source);

test("the bound of a setting is its default", () => {
  const [, size = "", name, app] = /\| ([\d.]+ MB) \| setting `(\w+)` of ([\w-]+) \|/u.exec(page) ?? [];
  const declared = chartedApps.find((one) => one.name === app)?.declared.find((one) => one.name === name);
  expect(parseSize(size.replace(" ", ""), "B")).toEqual({ ok: true, value: declared?.default?.value });
});
