import { type FakeNtfyOptions, startFakeNtfy } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { program } from "./program.ts";

async function run(options: FakeNtfyOptions, env: Record<string, string> = {}) {
  await using ntfy = await startFakeNtfy(options);
  let told = "";
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  await program({
    argv: ["node", "main.js", "test-notification"],
    env: { NTFY_TOPIC: `${ntfy.url}/downloads`, LOG_FORMAT: "json", ...env },
    stdout: { write: (text) => (told += text) },
    stderr: { write: (text) => (told += text) },
    on: () => {},
    exit,
  });
  return { code: await exited, told, messages: ntfy.messages("downloads") };
}

test("test-notification sends one notification, and says that it arrived", async () => {
  const { code, told, messages } = await run({});
  expect(code).toBe(0);
  expect(told).toContain("ntfy took the notification");
  expect(messages).toMatchObject([{ title: "ntfy-sidecar works", priority: 4 }]);
});

test("test-notification says that a server is too old for cards in place", async () => {
  const { code, told } = await run({ version: "2.11.0" });
  expect([code, told]).toEqual([0, expect.stringContaining("older than 2.16")]);
});

test("test-notification says what ntfy says when it refuses, without the token", async () => {
  const { code, told, messages } = await run({ token: "tk_right" }, { NTFY_TOKEN: "tk_wr0ng" });
  expect([code, told, messages]).toEqual([1, expect.stringContaining("unauthorized (40101)"), []]);
  expect(told).not.toContain("tk_wr0ng");
});
