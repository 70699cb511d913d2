import { readCommandLine } from "@qbit-sidecars/config";
import { describe, expect, test } from "vitest";
import { settings } from "./config.ts";
import { limitsOf, noticePolicy, topicOf } from "./ntfy-settings.ts";

const read = (env: Record<string, string>) =>
  readCommandLine({ name: "ntfy-sidecar", version: "0", about: "", settings }, { argv: [], env });

async function configOf(env: Record<string, string>) {
  const result = await read({ NTFY_TOPIC: "downloads", ...env });
  if (result.kind !== "run") throw new Error(result.stderr);
  return result.config;
}

describe("the document's message for what is missing", () => {
  test.each([
    [{}, "Missing ENV: NTFY_TOPIC"],
    [{ NTFY_TOPIC: "" }, "Missing ENV: NTFY_TOPIC"],
    [{ NTFY_TOPIC: "x", QBIT_USER: "admin" }, "Missing ENV: QBIT_PASS"],
    [{ NTFY_TOPIC: "x", NTFY_USER: "me" }, "Missing ENV: NTFY_PASS"],
  ])("%j: %s", async (env, message) => {
    const result = await read(env);
    expect(result).toMatchObject({ kind: "exit", code: 2, stderr: expect.stringContaining(message) });
  });

  test("the document's own environment is enough, and so is one without a password", async () => {
    const seed = {
      QBIT_HOST: "http://localhost:8080",
      QBIT_USER: "admin",
      QBIT_PASS: "x",
      NTFY_TOPIC: "https://ntfy.kerrlab.app/downloads",
    };
    expect(topicOf(await configOf(seed))).toEqual({ server: "https://ntfy.kerrlab.app", topic: "downloads" });
    expect((await read({ NTFY_TOPIC: "downloads" })).kind).toBe("run");
  });
});

test("its successor's variables work", async () => {
  const config = await configOf({
    NTFY_SERVER: "http://nas:8090/",
    NTFY_PRIORITY_PROGRESS: "1",
    NTFY_PRIORITY_COMPLETE: "high",
    NOTIFY_COMPLETE: "false",
    PROGRESS_FORMAT: "percent",
    POLL_INTERVAL: "7",
  });
  expect(topicOf(config)).toEqual({ server: "http://nas:8090", topic: "downloads" });
  expect(config.pollInterval).toBe(7000);
  expect(noticePolicy(config)).toMatchObject({
    priorities: { progress: 1, complete: 4 },
    tell: { complete: false },
    texts: { messageProgress: "Progress: {percent}" },
  });
});

test("ntfy.sh's 250 messages a day are known; another server's limit is its owner's to say", async () => {
  expect(limitsOf(await configOf({}))).toEqual({ burst: 60, refillMs: 5000, daily: 250 });
  expect(limitsOf(await configOf({ NTFY_SERVER: "https://n.example.org" })).daily).toBe(0);
  expect(limitsOf(await configOf({ NTFY_DAILY_LIMIT: "9" })).daily).toBe(9);
});

test("faults of topics, routes, hours and texts are told together", async () => {
  const result = await read({
    NTFY_TOPIC: "docs",
    NTFY_ROUTES: "tv",
    QUIET_HOURS: "at night",
    TITLE_COMPLETE: "{nmae}",
  });
  const told = result.kind === "exit" ? result.stderr : "";
  for (const name of ["NTFY_TOPIC", "NTFY_ROUTES", "QUIET_HOURS", "TITLE_COMPLETE"])
    expect(told).toContain(name);
});
