import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";

const program = fileURLToPath(new URL("run-service.fixture.ts", import.meta.url));

/** Runs the fixture as a process of its own. */
function start(env: Record<string, string> = {}, args: string[] = []) {
  const child = spawn(process.execPath, [program, ...args], {
    // Nothing of the test runner's environment: NODE_OPTIONS and the like would change what is tested.
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const exited = once(child, "close");
  return {
    child,
    output: () => output,
    messages: () => [...output.matchAll(/"msg":"([^"]*)"/g)].map(([, message]) => message),
    says: (message: string) =>
      waitFor(() => output.includes(message), { what: `"${message}" in the output` }),
    async exit(): Promise<number | string> {
      await exited;
      return child.exitCode ?? child.signalCode ?? "?";
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

describe("a real process", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "on %s closes in order, leaves nothing open and exits 0",
    async (signal) => {
      await using service = start({ LEAK_CHECK: "1" });
      await service.says("ready");
      service.child.kill(signal);
      expect(await service.exit()).toBe(0);
      expect(service.messages().slice(-3)).toEqual([
        `${signal}: stopping; a second signal exits at once`,
        "closed: last opened",
        "closed: first opened",
      ]);
    },
  );

  test("a second signal ends a closing that hangs", async () => {
    await using service = start({ BEHAVIOUR: "closer hangs" });
    await service.says("ready");
    service.child.kill("SIGTERM");
    await service.says("stopping");
    service.child.kill("SIGINT");
    expect(await service.exit()).toBe(130);
  });

  test("a closing that hangs ends with the grace period, names the closer and exits 1", async () => {
    await using service = start({ BEHAVIOUR: "closer hangs", GRACE: "200ms" });
    await service.says("ready");
    service.child.kill("SIGTERM");
    expect(await service.exit()).toBe(1);
    expect(service.output()).toContain('"unfinished":["lastOpened","health listener","firstOpened"]');
  });

  test("an app that does not return is closed anyway and exits 1", async () => {
    await using service = start({ BEHAVIOUR: "never returns", GRACE: "200ms" });
    await service.says("ready");
    service.child.kill("SIGTERM");
    expect(await service.exit()).toBe(1);
    expect(service.messages().slice(-2)).toEqual(["closed: last opened", "closed: first opened"]);
  });

  test.each([
    ["throws", "uncaught exception", "nobody catches this"],
    ["rejects", "unhandled rejection", "nobody awaits this"],
  ])("one that %s where nobody catches it closes in order and exits 1", async (behaviour, message, error) => {
    await using service = start({ BEHAVIOUR: behaviour, LEAK_CHECK: "1" });
    expect(await service.exit()).toBe(1);
    expect(service.messages().slice(-3)).toEqual([message, "closed: last opened", "closed: first opened"]);
    expect(service.output()).toContain(error);
  });

  test("a start that fails closes what was opened, leaves nothing open and exits 1", async () => {
    await using service = start({ BEHAVIOUR: "start fails", LEAK_CHECK: "1" });
    expect(await service.exit()).toBe(1);
    expect(service.messages().slice(-2)).toEqual(["the app failed", "closed: first opened"]);
    expect(service.output()).toContain("opening the queue: disk full");
  });

  test("an app that is done exits with its own code and leaves nothing open", async () => {
    await using service = start({ BEHAVIOUR: "once", LEAK_CHECK: "1" });
    expect(await service.exit()).toBe(7);
  });

  test("outlives the reader of its log and still exits 0", async () => {
    await using service = start({ LOG_LEVEL: "debug" });
    await service.says("ready");
    service.child.stdout.destroy();
    service.child.kill("SIGTERM");
    expect(await service.exit()).toBe(0);
  });

  test("faults in its settings end it with 2, and show no secret", async () => {
    await using service = start({ GRACE: "soon", QBIT_PASS: "hunter2" });
    expect(await service.exit()).toBe(2);
    expect(service.output()).toContain("GRACE");
    expect(service.output()).not.toContain("hunter2");
  });

  test("a command has its own exit code", async () => {
    await using service = start({}, ["greet"]);
    expect(await service.exit()).toBe(3);
    expect(service.output()).toBe("hello\n");
  });
});
