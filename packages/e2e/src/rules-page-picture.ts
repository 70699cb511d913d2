import { findChromium, freePort, startFakeQbittorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { chromium } from "playwright-core";
import { repository } from "./app-images.ts";
import { runApp } from "./run-app.ts";

const usage = `npm run picture                 takes docs/rules-page.png anew
npm run picture -- FILE [PAGE]  another page (rules, try, jobs/ID …) into another file`;

const key = "a-key-for-the-picture";
const rules = `
rules:
  - name: Films go to their own category
    context: [added, finished]
    conditions: [{ field: info.name, operator: matches, value: '(?i)(1080p|2160p)' }]
    actions: [{ type: set_category, params: { category: films } }, { type: add_tag, params: { tag: hd } }]
  - name: Linux is for everybody
    context: [finished]
    conditions: [{ field: info.name, operator: icontains, value: linux }]
    actions: [{ type: add_tag, params: { tag: keep } }]
  - name: Seeded enough
    context: scheduled
    conditions:
      - { field: info.ratio, operator: ">=", value: 2 }
      - { field: info.tags, operator: not_contains, value: keep }
    actions: [{ type: add_tag, params: { tag: seeded } }]
`;

const names = [
  "Big.Buck.Bunny.2008.2160p",
  "Sintel.2010.1080p",
  "Tears.of.Steel.2012.1080p",
  "debian-linux-13.2-amd64-netinst.iso",
  "alpine-linux-3.22-x86_64.iso",
  "Elephants.Dream.2006.1080p",
  "Cosmos.Laundromat.2015.720p",
  "archlinux-linux-2026.11.01-x86_64.iso",
];
const hashOf = (at: number) => (0xa1b2c3 + at * 7919).toString(16).padStart(40, "3f9c");

async function main([file = join(repository, "docs/rules-page.png"), page = ""]: readonly string[]) {
  await using folder = await tempDir();
  const torrents = names.map((name, at) => ({ name, hash: hashOf(at), ratio: at / 2 }));
  await using fake = await startFakeQbittorrent({ torrents });
  await writeFile(join(folder.path, "rules.yml"), rules);
  const port = await freePort();
  await using app = runApp("rules-server", {
    args: ["--serve"],
    env: {
      QBT_RULES_CONFIG_DIR: folder.path,
      QBT_RULES_SERVER_HOST: "127.0.0.1",
      QBT_RULES_SERVER_PORT: String(port),
      QBT_RULES_SERVER_API_KEY: key,
      QBT_RULES_QBITTORRENT_HOST: fake.url,
      QBT_RULES_LOG_FILE: "",
    },
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/healthz`)).ok, { what: `the server (${app.errors})` });
  const last = await haveJobs(url);
  await takePicture(`${url}/#/${page.replace("ID", last)}`, file);
  console.log(file);
}

/** Jobs of every kind, as a day brings them. */
async function haveJobs(url: string): Promise<string> {
  const ask = async (method: string, path: string) => {
    const response = await fetch(url + path, { method, headers: { "x-api-key": key } });
    return (await response.json()) as Record<string, string>;
  };
  const over = async (query: string) => {
    const { job_id: id = "" } = await ask("POST", `/api/execute?${query}`);
    const isOver = async () => (await ask("GET", `/api/jobs/${id}`))["completed_at"] !== null;
    await waitFor(isOver, { what: `job ${query} to be over` });
    return id;
  };
  for (const at of [0, 1, 3]) await over(`context=added&hash=${hashOf(at)}`);
  for (const at of [0, 3, 4]) await over(`context=finished&hash=${hashOf(at)}`);
  await over("context=scheduled");
  const { job_id: cancelled = "" } = await ask(
    "POST",
    `/api/execute?context=added&hash=${hashOf(6)}&delay=90`,
  );
  await ask("DELETE", `/api/jobs/${cancelled}`);
  const planned = await over("context=finished&dry_run=true");
  await over(`context=added&hash=${hashOf(5)}`);
  await ask("POST", `/api/execute?context=finished&hash=${"e".repeat(40)}&delay=300`);
  return planned;
}

async function takePicture(url: string, file: string): Promise<void> {
  await using program = await findChromium();
  const browser = await chromium.launch({ executablePath: program.executablePath, args: [...program.args] });
  try {
    const page = await browser.newPage({
      viewport: { width: 1200, height: 760 },
      colorScheme: process.env["PICTURE_SCHEME"] === "light" ? "light" : "dark",
    });
    await page.goto(url);
    await page.getByLabel("Key", { exact: true }).fill(key);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByRole("row").nth(1).waitFor();
    await mkdir(dirname(file), { recursive: true });
    await page.screenshot({ path: file });
  } finally {
    await browser.close();
  }
}

const args = process.argv.slice(2);
if (args.includes("--help")) console.log(usage);
else await main(args);
