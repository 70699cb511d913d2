import { tempDir } from "@qbit-sidecars/testing";
import { appendFile, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type AuditRecord, openAuditLog } from "./audit-log.ts";
import { Told } from "./told.ts";
import { memoryLog } from "./worker-under-test.ts";

const record = (changes: Partial<AuditRecord> = {}): AuditRecord => ({
  at: "2026-01-01T00:00:00.000Z",
  jobs: ["one"],
  context: null,
  hash: "a".repeat(40),
  name: "film",
  rule: "tell",
  action: "notify",
  before: null,
  after: null,
  because: [],
  result: "done",
  ...changes,
});

test("a log that has grown large makes room, and the one before is kept", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "audit.jsonl");
  await writeFile(path, "old\n");
  await truncate(path, 51 * 1024 * 1024);
  await openAuditLog(path, (await memoryLog()).log).write([record()]);
  expect((await readdir(dir.path)).toSorted()).toEqual(["audit.jsonl", "audit.jsonl.1"]);
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ name: "film" });
});

test("without a file changes are told of in the log; nothing is written for nothing", async () => {
  const { log, lines } = await memoryLog();
  await openAuditLog("", log).write([record()]);
  expect(lines).toMatchObject([{ msg: "notify: film", audit: { rule: "tell" } }]);
  await using dir = await tempDir();
  await openAuditLog(join(dir.path, "audit.jsonl"), log).write([]);
  expect(await readdir(dir.path)).toEqual([]);
});

test("whom was told of is read from the log, whatever else stands in it", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "audit.jsonl");
  const lines = [
    record(),
    record({ hash: "b".repeat(40), result: "failed" }),
    record({ hash: "c".repeat(40), action: "add_tag", because: ['"notify"'] }),
  ];
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  // A newer version's line, one that is no record, and one that a crash cut off.
  await appendFile(path, `{"action":"notify","of":"tomorrow"}\n"notify"\n{"action":"notify","hash":"dd`);
  const told = new Told(path);
  await told.read();
  const hashes = ["a", "b", "c"].map((letter) => letter.repeat(40));
  expect(hashes.map((hash) => told.has("tell", hash))).toEqual([true, false, false]);
});

test("whom was told of before the log made room is not told again", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "audit.jsonl");
  await writeFile(path, `${"x".repeat(1000)}\n`);
  await truncate(path, 51 * 1024 * 1024);
  await appendFile(path, `\n${JSON.stringify(record())}\n`);
  const newer = record({ hash: "b".repeat(40) });
  await openAuditLog(path, (await memoryLog()).log).write([newer]);
  const told = new Told(path);
  await told.read();
  expect(["a", "b"].map((letter) => told.has("tell", letter.repeat(40)))).toEqual([true, true]);
});

test("without a log nobody was told", async () => {
  const told = new Told();
  await told.read();
  expect(told.has("tell", "a")).toBe(false);
  told.note([record()]);
  expect(told.has("tell", "a".repeat(40))).toBe(true);
});
