import { PassThrough } from "node:stream";

import { Secret } from "@qbit-sidecars/config";
import { expect, test } from "vitest";

import { createLog, outliveBrokenOutput } from "./log.ts";
import { memoryLog } from "./test-log.ts";

function terminal() {
  let text = "";
  return { isTTY: true, write: (line: string) => (text += line), text: () => text };
}

test("a line is JSON with an ISO time, the level as a word and the app's name", async () => {
  const { log, lines } = await memoryLog();
  log.info({ port: 51_820 }, "port set");
  expect(lines).toEqual([
    { level: "info", time: expect.stringMatching(/^\d{4}-.*Z$/), app: "test", port: 51_820, msg: "port set" },
  ]);
});

test("a secret is hidden wherever it is put into a line", async () => {
  const { log, lines } = await memoryLog();
  const pass = new Secret("hunter2");
  log.info(
    { pass, deep: { list: [pass] }, err: Object.assign(new Error("no"), { pass }) },
    `with ${String(pass)}`,
  );
  expect(JSON.stringify(lines)).not.toContain("hunter2");
  expect(lines[0]).toMatchObject({ pass: "***", deep: { list: ["***"] }, msg: "with ***" });
});

test("on a terminal a line is for people: time, level, message and what belongs to it", async () => {
  const output = terminal();
  const log = await createLog({ name: "test", level: "info", format: "auto", output, color: false });
  log.info({ port: 51_820 }, "port set");
  class QbitError extends Error {}
  log.warn({ err: new QbitError("applying the port", { cause: new Error("refused") }) }, "sync failed");
  const [first, second, third] = output.text().split("\n");
  expect(first).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: port set \{"port":51820\}$/);
  expect(second).toMatch(/WARN: sync failed/);
  expect(third).toContain("QbitError: applying the port: refused");
  expect(output.text()).not.toContain(" at ");
});

test("on a terminal an error that is none, or has no stack, is told by what there is of it", async () => {
  const output = terminal();
  const log = await createLog({ name: "test", level: "info", format: "pretty", output, color: false });
  log.warn({ err: "just words" }, "sync failed");
  log.warn({ err: { type: "Odd", message: "from elsewhere" } }, "sync failed");
  expect(output.text()).toContain("just words");
  expect(output.text()).toContain("from elsewhere");
});

test("a pretty line is written before the call returns", async () => {
  const output = terminal();
  const log = await createLog({ name: "test", level: "info", format: "pretty", output });
  log.fatal("last words");
  expect(output.text()).toContain("last words");
});

test("colours appear on a terminal and nowhere else", async () => {
  const [colourful, plain] = [terminal(), { ...terminal(), isTTY: false }];
  for (const output of [colourful, plain]) {
    (await createLog({ name: "test", level: "info", format: "pretty", output })).info("x");
  }
  expect(colourful.text()).toContain("\u001B[");
  expect(plain.text()).not.toContain("\u001B[");
});

test("on a pipe, and where it is asked for, lines are JSON", async () => {
  const output = terminal();
  (await createLog({ name: "test", level: "info", format: "json", output })).info("x");
  expect(JSON.parse(output.text())).toMatchObject({ msg: "x" });
});

test("a reader that is gone is no reason to die", () => {
  const stdout = new PassThrough();
  outliveBrokenOutput(stdout);
  expect(() => stdout.emit("error", Object.assign(new Error("EPIPE"), { code: "EPIPE" }))).not.toThrow();
});
