import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appNames, repository } from "./app-images.ts";

/** SPDX identifiers of licences under which others may ship our bundles, too, if their notices go along. */
const allowed = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

test.each(appNames)("all that the bundle of %s holds may be shipped", async (app) => {
  const path = join(repository, "apps", app, "dist/THIRD-PARTY-NOTICES.txt");
  const notices = await readFile(path, "utf8");
  // The build writes the packages of a text above it, under a line.
  const heads = notices
    .split(/^-{80}$/mu)
    .slice(1)
    .map((part) => part.trim().split("\n\n")[0] ?? "");
  const licences = heads
    .flatMap((head) => head.split("\n"))
    .map((line) => /^(\S+ \S+) \((.+)\)$/u.exec(line)?.slice(1) ?? [line, "no licence"]);
  expect(licences.length).toBeGreaterThan(5);
  const refused = licences.filter(([, licence = ""]) => !isAllowed(licence));
  expect(refused).toEqual([]);
});

/** One of several will do, all of several are needed: `(MIT OR GPL-3.0-only)`, `MIT AND ISC`. */
function isAllowed(expression: string): boolean {
  const plain = expression.replaceAll(/[()]/gu, "");
  if (plain.includes(" OR ")) return plain.split(" OR ").some(isAllowed);
  return plain.split(" AND ").every((one) => allowed.has(one.trim()));
}
