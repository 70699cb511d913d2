import { readdir, readFile } from "node:fs/promises";
import { chartedApps } from "@qbit-sidecars/charts";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { codeIn, headingsOf, linksIn, pages, readPage, repository } from "./pages.ts";

const sources = await sourceText();

test("the messages that troubleshooting quotes are those that the programs, the charts and Helm write", async () => {
  const text = await readPage("docs/troubleshooting.md");
  const seen = text.split("\n").filter((line) => line.startsWith("You see: "));
  expect(seen.length).toBeGreaterThan(20);
  const quoted = seen.flatMap(codeIn).filter((code) => !ofOthers.has(code));
  const fragments = quoted.flatMap((code) =>
    code
      .split("…")
      .map((part) => part.trim())
      .filter(Boolean),
  );
  expect(fragments.filter((fragment) => !isWritten(fragment))).toEqual([]);
});

/** As it stands, or after the name of a loop. */
function isWritten(fragment: string): boolean {
  const [, loop = "", rest = ""] = /^([a-z]+-[a-z]+)(?= )(.*)$/.exec(fragment) ?? [];
  const isOfLoop = rest !== "" && sources.includes(`name: "${loop}"`) && sources.includes(`}${rest}`);
  return sources.includes(fragment) || isOfLoop;
}

/** What neither our programs nor our charts say: Kubernetes' and Helm's words. */
const ofOthers = new Set(["violates PodSecurity", "additional properties '…' not allowed", "at '/config/…'"]);

test("every alert of the charts leads to the symptom that names it", async () => {
  const text = await readPage("docs/troubleshooting.md");
  const symptoms = new Map(text.split(/^### /m).map((part) => [headingsOf(`### ${part}`)[0], part]));
  const files = chartedApps.map(async ({ name }) => parse(await readPage(`charts/${name}/alerts.yaml`)));
  const alerts: Alert[] = (await Promise.all(files)).flat();
  const lost = alerts.filter(({ alert, annotations }) => {
    const [page, anchor] = annotations.runbook_url.split("#");
    return page !== `${onGithub}/docs/troubleshooting.md` || !symptoms.get(anchor)?.includes(alert);
  });
  expect(lost).toEqual([]);
});

type Alert = { alert: string; annotations: { runbook_url: string } };
const onGithub = "https://github.com/qbit-sidecars/qbit-sidecars/blob/main";

describe.each(await pages())("%s", (page) => {
  test("links to files and headings that there are", async () => {
    const missing: string[] = [];
    for (const link of linksIn(await readPage(page))) {
      const { pathname, hash } = new URL(link, new URL(page, repository));
      const target = new URL(pathname, "file:");
      const isFolder = await readdir(target).then(
        () => true,
        () => false,
      );
      const text = isFolder ? "" : await readFile(target, "utf8").catch(() => undefined);
      if (text === undefined) missing.push(link);
      else if (hash !== "" && !headingsOf(text).includes(decodeURIComponent(hash.slice(1))))
        missing.push(link);
    }
    expect(missing).toEqual([]);
  });

  test("names only variables that an app reads", async () => {
    const known = new Set(chartedApps.flatMap(({ declared }) => declared.flatMap(({ env }) => env)));
    const ours = /\b(?:QBT_RULES|QBSYNC_SOURCE|QBSYNC_DESTINATION|QBIT(?!_SIDECARS)|NTFY|PIA)_[A-Z_]+\b/g;
    const named = codeIn(await readPage(page)).flatMap((code) => code.match(ours) ?? []);
    expect(named.filter((name) => !known.has(name.replace(/_FILE$/, "")) && !known.has(name))).toEqual([]);
  });
});

/** Of all that writes messages, without tests; a text that is put together over two lines as one. */
async function sourceText(): Promise<string> {
  const isSource = (path: string) =>
    /^(apps|packages)\/[^/]+\/src\/.*\.ts$/.test(path) && !/\.(test|fixture)\.ts$|-under-test/.test(path);
  const folders = ["apps", "packages"].map(async (folder) => {
    const files = await readdir(new URL(folder, repository), { recursive: true });
    return files.map((file) => `${folder}/${file}`).filter((path) => !path.includes("node_modules"));
  });
  const paths = (await Promise.all(folders)).flat().filter(isSource);
  const texts = await Promise.all(paths.map(readPage));
  return texts
    .join("\n")
    .replaceAll(/["`] \+\s+["`]/g, "")
    .replaceAll("\\`", "`");
}
