import { startFakeQbittorrent, tempDir } from "@qbit-sidecars/testing";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { tryRules } from "./try-rules.ts";

async function run(rules: string | undefined, ...argv: string[]): Promise<{ code: number; text: string }> {
  await using folder = await tempDir();
  const file = join(folder.path, "rules.yml");
  if (rules !== undefined) await writeFile(file, rules);
  let text = "";
  const code = await tryRules({
    argv: [...argv, "--rules", file],
    env: {},
    write: (part) => void (text += part),
  });
  return { code, text: text.replaceAll(`${folder.path}/`, "") };
}

const good = `rules: [{ name: a, conditions: [{ field: info.ratio, operator: ">=", value: 2 }], actions: [{ type: stop }] }]`;

test("check says that a right file is right", async () => {
  expect(await run(good, "check")).toEqual({ code: 0, text: "rules.yml: 1 rules, no mistakes\n" });
});

test("check names every mistake with its place and ends with 1", async () => {
  const { code, text } = await run(good.replace("stop", "stopp"), "check");
  expect({ code, text }).toEqual({
    code: 1,
    text: 'rules.yml:1:101: rule "a": there is no action the text "stopp"; did you mean stop?\n',
  });
});

test("a file that is not there is one mistake", async () => {
  expect(await run(undefined, "check")).toEqual({
    code: 1,
    text: "reading rules.yml: no such file (ENOENT)\n",
  });
});

test("a wrong flag ends with 2", async () => {
  expect((await run(good, "plan", "--contxt", "x")).code).toBe(2);
});

test("plan tells what would be done and why, and changes nothing", async () => {
  await using fake = await startFakeQbittorrent({
    torrents: [{ name: "t", fields: { ratio: 2.5, progress: 1 } }, { name: "u" }],
  });
  const { code, text } = await run(good, "plan", "--qbit-url", fake.url, "--trace");
  expect({ code, text }).toEqual({
    code: 0,
    text: `t
  stop: "stalledUP" → "stoppedUP"
  rule "a": info.ratio >= 2 (is 2.5)
t:
  "a": yes
    yes     all
      yes     info.ratio >= 2: 2.5
u:
  "a": no
    no      all
      no      info.ratio >= 2: 0
2 torrents, 1 matches, 1 changes; nothing was changed
`,
  });
  expect(fake.calls.list().every(({ method }) => method === "GET")).toBe(true);
});

test("plan tells what a guard holds back, what is not ready, and which rules were not reached", async () => {
  await using fake = await startFakeQbittorrent({
    torrents: [
      { name: "kept", tags: ["keep"] },
      { name: "a magnet", isMagnet: true },
    ],
  });
  const rules = `
safety: { protected_tags: [keep] }
rules:
  - name: first
    conditions: [{ field: info.size, operator: smaller_than, value: 1 TB }]
    actions: [{ type: delete_torrent }]
    stop_on_match: true
  - { name: second, conditions: {}, actions: [{ type: reannounce }] }
`;
  const { text } = await run(rules, "plan", "--qbit-url", fake.url, "--trace");
  expect(text).toContain('kept\n  not deleted (rule "first"): it has the protected tag "keep"');
  expect(text).toContain("a magnet\n  not ready: it has no metadata yet");
  expect(text).toContain('"second": not reached\n');
  const unknown = await run(rules, "plan", "--qbit-url", fake.url, "--hash", "f".repeat(40));
  expect(unknown.text).toContain(`${"f".repeat(40)}\n  not ready: qBittorrent does not know it (yet)`);
});

test("a rules file that is a folder cannot be read", async () => {
  await using folder = await tempDir();
  let text = "";
  const write = (part: string) => void (text += part);
  expect(await tryRules({ argv: ["check", "--rules", folder.path], env: {}, write })).toBe(1);
  expect(text).toContain("it cannot be read (EISDIR)");
});

test("it runs as a program", { timeout: 60_000 }, async () => {
  const file = fileURLToPath(new URL("try-rules.ts", import.meta.url));
  const rules = fileURLToPath(new URL("../rules.default.yml", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file, "check", "--rules", rules]);
  expect(stdout).toContain("5 rules, no mistakes");
});
