import { startFakeQbittorrent, tempDir } from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { program } from "../program.ts";
import { startServerUnderTest } from "../server-under-test.ts";

const rules = `
rules:
  - name: HD
    conditions: [{ field: info.name, operator: contains, value: 1080p }]
    actions: [{ type: add_tag, params: { tag: hd } }]
`;

/** The command as a user would run it, with files beside it. */
async function run(args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  await using dir = await tempDir();
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir.path, name), text);
  let [stdout, stderr] = ["", ""];
  const process = {
    argv: ["node", "main.js", ...args.map((word) => (word in files ? join(dir.path, word) : word))],
    env: { QBT_RULES_CONFIG_DIR: dir.path },
    stdout: { write: (text: string) => void (stdout += text) },
    stderr: { write: (text: string) => void (stderr += text) },
    on: () => undefined,
    exit: () => undefined,
    exitCode: undefined as number | string | null | undefined,
  };
  await program(process);
  const plain = (text: string): string => text.replaceAll(`${dir.path}/`, "");
  return { code: process.exitCode, stdout: plain(stdout), stderr: plain(stderr) };
}

describe("qbt-rules lint", () => {
  test("finds nothing wrong with good rules, in the rules file of the settings", async () => {
    expect(await run(["lint"], { "rules.yml": rules })).toEqual({
      code: 0,
      stdout: "rules.yml: 0 errors, 0 warnings\n",
      stderr: "",
    });
  });

  test("tells each mistake with its place and ends with 1, as JSON if wanted", async () => {
    const wrong = { "mine.yml": rules.replace("info.name", "info.nmae") };
    const { code, stdout } = await run(["lint", "mine.yml"], wrong);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^mine\.yml:4:\d+: .*info\.name/);
    const json = await run(["lint", "mine.yml", "--json"], wrong);
    expect(JSON.parse(json.stdout)).toMatchObject({ errors: 1, problems: [{ line: 4 }] });
  });

  test("says that a file is not there", async () => {
    expect(await run(["lint", "gone.yml"])).toMatchObject({
      code: 1,
      stderr: "gone.yml: the file does not exist\n",
    });
  });
});

describe("qbt-rules test", () => {
  const examples = (expected: string): string =>
    JSON.stringify({ torrents: [{ name: "Film.1080p", expect: [expected] }] });

  test("ends with 0 when every example comes to what it expects", async () => {
    const files = { "rules.yml": rules, "torrents.json": examples("add_tag") };
    const { code, stdout } = await run(["test", "torrents.json"], files);
    expect(stdout).toContain('✓ Film.1080p\n  add_tag ["hd"] (HD: ');
    expect(stdout).toContain("1 as expected, 0 not\n");
    expect(code).toBe(0);
  });

  test("ends with 1 and says what was expected instead", async () => {
    const files = { "r.yml": rules, "torrents.json": examples("stop") };
    const { code, stdout } = await run(["test", "torrents.json", "r.yml"], files);
    expect(stdout).toContain("✗ Film.1080p\n");
    expect(stdout).toContain('expected [{"action":"stop"}]');
    expect(code).toBe(1);
  });

  test("without examples says how it is used", async () => {
    expect(await run(["test"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("test torrents.json"),
    });
  });
});

describe("qbt-rules migrate", () => {
  test("prints the file anew, and beside it what the old one did not do; the file stays as it was", async () => {
    const old = rules
      .replace("params: { tag: hd }", "params: { keep: true, tag: hd }")
      .replace("- name: HD", "- name: HD\n    trigger: added");
    const { code, stdout, stderr } = await run(["migrate", "old.yml"], { "old.yml": old });
    expect(stderr).toContain('old.yml:4:5: rule "HD": rewritten: trigger is called context now');
    expect(stdout).toContain("context: added");
    expect(stdout).not.toContain("trigger");
    // What a bare list of conditions was meant to be is for its writer to decide.
    expect(stderr).toContain("to decide");
    expect(code).toBe(1);
  });

  test("says where the file is not, and answers a script in JSON", async () => {
    expect(await run(["migrate", "gone.yml"])).toMatchObject({
      code: 1,
      stderr: "gone.yml: the file does not exist\n",
    });
    const old = rules.replace("- name: HD", "- name: HD\n    trigger: added");
    const { stdout } = await run(["migrate", "old.yml", "--json"], { "old.yml": old });
    expect(JSON.parse(stdout)).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ isRewritten: true })]),
      text: expect.stringContaining("context: added"),
    });
  });

  test("leaves a file of today as it is", async () => {
    const today = rules.replace(/conditions: (.*)/, "conditions: { all: $1 }").replace("tag: hd", "tags: hd");
    const { code, stdout, stderr } = await run(["migrate"], { "rules.yml": today });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: today,
      stderr: "0 things rewritten, 0 for you to decide\n",
    });
  });
});

describe("qbt-rules explain", () => {
  test("tells of one torrent what every condition found and what would be done, and does nothing", async () => {
    const hash = "a".repeat(40);
    await using qbittorrent = await startFakeQbittorrent();
    qbittorrent.addTorrent({ hash, name: "Film.1080p" });
    await using server = await startServerUnderTest({ qbittorrent: qbittorrent.url, rules });
    const { code, stdout } = await server.cli(["explain", hash]);
    expect(stdout).toMatch(/^Film\.1080p\n {2}yes +HD\n/);
    expect(stdout).toMatch(/yes +info\.name contains "1080p" +is "Film\.1080p"/);
    expect(stdout).toContain("would add_tag Film.1080p");
    expect(code).toBe(0);
    expect(qbittorrent.calls.list("torrents/addTags")).toEqual([]);
    const nobody = await server.cli(["explain", "b".repeat(39)]);
    expect(nobody).toMatchObject({ code: 1, stdout: expect.stringContaining("no torrent has the id") });
    expect(await server.cli(["explain"])).toMatchObject({ code: 2 });
    expect(await server.cli(["explain", "xyz"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Invalid hash"),
    });
    const json = JSON.parse((await server.cli(["explain", "--hash", hash, "--json"])).stdout);
    expect(json).toMatchObject({ dry_run: true, details: { trace: [{ rules: [{ answer: "yes" }] }] } });
    qbittorrent.faults.next("torrents/info", { kind: "latency", ms: 2500 });
    expect(await server.cli(["explain", hash, "--wait-timeout", "1s"])).toMatchObject({ code: 1 });
  });

  test("says so when no rule was looked at, and what to name", async () => {
    await using qbittorrent = await startFakeQbittorrent();
    qbittorrent.addTorrent({ hash: "a".repeat(40), name: "Film.1080p" });
    const ofAdded = rules.replace("name: HD", "name: HD\n    context: added");
    await using server = await startServerUnderTest({ qbittorrent: qbittorrent.url, rules: ofAdded });
    const forgotten = await server.cli(["explain", "a".repeat(40)]);
    expect(forgotten).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Name one, such as --context"),
    });
    const mistaken = await server.cli(["explain", "a".repeat(40), "--context", "aded"]);
    expect(mistaken).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("none is of the context aded"),
    });
    const right = await server.cli(["explain", "a".repeat(40), "--context", "added"]);
    expect(right.stdout).toContain("would add_tag Film.1080p");
  });
});
