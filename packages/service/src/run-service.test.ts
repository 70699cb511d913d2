import { EventEmitter } from "node:events";

import { declareSettings, setting } from "@qbit-sidecars/config";
import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { problem } from "./doctor/index.ts";
import { runService } from "./run-service.ts";
import type { App } from "./run-service.ts";
import type { Service } from "./service.ts";
import { SettingFault } from "./setting-fault.ts";
import { stopped } from "./stopped.ts";
import { serviceSettings } from "./service-settings.ts";
import type { LogLine } from "./test-log.ts";

const settings = declareSettings({
  ...serviceSettings({ healthAddr: "127.0.0.1:0" }),
  pass: setting.secret({ env: ["QBIT_PASS"], about: "A secret." }),
});

type TestApp = App<(typeof settings)["declaration"]>;

/** Says what it was told and does nothing to the process of the tests. */
class FakeProcess extends EventEmitter {
  argv = ["node", "main.js"];
  env: Record<string, string> = {};
  exitCode: number | undefined;
  readonly exits: number[] = [];
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly stdout = { write: (text: string) => this.out.push(text) };
  readonly stderr = { write: (text: string) => this.err.push(text) };
  exit = (code: number) => this.exits.push(code);

  lines(): LogLine[] {
    return this.out.map((line): LogLine => JSON.parse(line));
  }
  messages(): string[] {
    return this.lines().map(({ msg }) => msg);
  }
}

let process: FakeProcess;
let clock: FakeClock;

beforeEach(() => {
  process = new FakeProcess();
  clock = new FakeClock();
});

afterEach(() => {
  if (clock.sleeping > 0) throw new Error("the service left a timer open");
});

function run(start: TestApp["start"], rest: Partial<TestApp> = {}): Promise<void> {
  const app = { name: "port-sync", version: "1.2.3", about: "Keeps the port.", settings, start, ...rest };
  return runService(app, process, { clock });
}

/** Starts a resident app and waits until it runs. */
async function resident(setUp: (service: Service) => unknown = () => {}, rest: Partial<TestApp> = {}) {
  let running: Service | undefined;
  const done = run(async (_, service) => {
    await setUp(service);
    running = service;
    await stopped(service.signal);
  }, rest);
  const service = await waitFor(() => running, { what: "the app to run" });
  return { service, done };
}

describe("a normal life", () => {
  test.each(["SIGTERM", "SIGINT"])("ends with exit code 0 after %s", async (signal) => {
    const { done } = await resident();
    process.emit(signal);
    await done;
    expect(process.exits).toEqual([0]);
    expect(process.messages()).toContain(`${signal}: stopping; a second signal exits at once`);
  });

  test("a signal waits for what is to be done before, while everything still runs", async () => {
    const work = Promise.withResolvers<void>();
    const { service, done } = await resident(({ beforeStop }) =>
      beforeStop("the last letter", () => work.promise),
    );
    process.emit("SIGTERM");
    await waitFor(
      () => process.messages().some((message) => message.includes("before stopping: the last letter")),
      {
        what: "the work to begin",
      },
    );
    expect(service.signal.aborted).toBe(false);
    work.resolve();
    await done;
    expect(process.exits).toEqual([0]);
  });

  test("work that fails is told and does not keep it from stopping", async () => {
    const { done } = await resident(({ beforeStop }) =>
      beforeStop("the last letter", () => Promise.reject(new Error("away"))),
    );
    process.emit("SIGTERM");
    await done;
    expect(process.exits).toEqual([0]);
    expect(process.messages()).toContain("before stopping: the last letter: failed");
  });

  test("a second signal does not wait for it", async () => {
    const { done } = await resident(({ beforeStop }) =>
      beforeStop("the last letter", () => new Promise(() => {})),
    );
    process.emit("SIGTERM");
    process.emit("SIGINT");
    expect(process.exits).toEqual([130]);
    void done;
  });

  test("closes in the reverse order of opening, after the app has returned", async () => {
    const events: string[] = [];
    const { done } = await resident(({ closers, signal }) => {
      closers.defer(() => void events.push("first opened"));
      closers.defer(() => void events.push("last opened"));
      signal.addEventListener("abort", () => events.push("told"));
    });
    process.emit("SIGTERM");
    await done;
    expect(events).toEqual(["told", "last opened", "first opened"]);
  });

  test("an app that is done closes everything and gives the exit code", async () => {
    let told = false;
    await run(async (_, { signal, closers }) => {
      closers.defer(() => void (told = signal.aborted));
      return 3;
    });
    expect([process.exits, told]).toEqual([[3], true]);
  });

  test("an app that waits with the signal may reject with its reason", async () => {
    const done = run(async (_, { clock: time, signal }) => {
      try {
        await time.sleep(3_600_000, signal);
      } catch (cause) {
        throw new Error("waiting for the port", { cause });
      }
    });
    await waitFor(() => clock.sleeping === 1, { what: "the app to wait" });
    process.emit("SIGTERM");
    await done;
    expect(process.exits).toEqual([0]);
  });

  test("a setting that turns out wrong ends it with 2 and one sentence", async () => {
    await run(() => Promise.reject(new SettingFault("QBIT_CA_CERT_FILE (/ca.pem) does not exist")));
    expect(process.exits).toEqual([2]);
    expect(process.lines().at(-1)).toMatchObject({
      level: "error",
      msg: "QBIT_CA_CERT_FILE (/ca.pem) does not exist",
    });
  });

  test("tells its settings at the start, where each came from, and no secret", async () => {
    process.env = { QBIT_PASS: "hunter2", LOG_LEVEL: "INFO" };
    await run(() => Promise.resolve());
    expect(process.lines()[0]).toMatchObject({
      msg: "settings",
      app: "port-sync",
      settings: {
        logLevel: "info (LOG_LEVEL)",
        pass: "*** (QBIT_PASS)",
        healthAddr: "127.0.0.1:0 (default)",
      },
    });
    expect(process.out.join("")).not.toContain("hunter2");
  });

  test("tells people in a terminal only of those that somebody set", async () => {
    process.env = { QBIT_PASS: "hunter2", LOG_LEVEL: "INFO", LOG_FORMAT: "pretty" };
    await run(() => Promise.resolve());
    const [first] = process.out.join("").split("\n");
    expect(first).toMatch(/INFO: settings, where not the default \(--print-config has all\): .*LOG_LEVEL/);
    expect(first).toContain("pass *** (QBIT_PASS)");
    expect(first).not.toMatch(/\(default\)|hunter2|[{}]/);
  });

  test("tells of a setting that it ignores", async () => {
    process.env = { HEALTH_ADDR: "tcp://10.96.0.7:9101" };
    await run(() => Promise.resolve());
    const warnings = process.lines().filter(({ level }) => level === "warn");
    expect(warnings.map(({ msg }) => msg)).toEqual([expect.stringContaining("HEALTH_ADDR")]);
  });

  test("a signal during the reading of settings keeps the app from starting", async () => {
    let started = false;
    const done = run(async () => void (started = true));
    process.emit("SIGTERM");
    await done;
    expect([process.exits, started]).toEqual([[0], false]);
  });
});

describe("the second signal", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("%s exits at once with %i", async (signal, code) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { done } = await resident(({ closers }) => closers.defer(() => promise));
    process.emit("SIGTERM");
    await clock.advance(251);
    process.emit(signal);
    expect(process.exits).toEqual([code]);
    resolve();
    await done;
  });

  test("a Ctrl-C that arrives twice, from the terminal and from npm, is one", async () => {
    const { done } = await resident();
    process.emit("SIGINT");
    process.emit("SIGINT");
    await done;
    expect(process.exits).toEqual([0]);
  });
});

describe("the grace period", () => {
  test("a closer that hangs is named, and the exit code is 1", async () => {
    const { done } = await resident(({ closers }) => {
      closers.defer(function forgetLease() {});
      closers.defer(function flushQueue() {
        return new Promise(() => {});
      });
    });
    process.emit("SIGTERM");
    await clock.advance(9999);
    expect(process.exits).toEqual([]);
    await clock.advance(1);
    await done;
    expect(process.exits).toEqual([1]);
    expect(process.lines().at(-1)).toMatchObject({
      level: "error",
      msg: "not closed within 10000 ms, exiting anyway",
      unfinished: ["flushQueue", "forgetLease"],
    });
  });

  test("an app that does not return is closed anyway, and the exit code is 1", async () => {
    let closed = false;
    let running = false;
    const done = run(
      (_, { closers }) => {
        closers.defer(() => void (closed = true));
        running = true;
        return new Promise(() => {});
      },
      { graceMs: 5000 },
    );
    await waitFor(() => running, { what: "the app to run" });
    process.emit("SIGTERM");
    await clock.advance(3999);
    expect(closed).toBe(false);
    await clock.advance(1);
    await done;
    expect([process.exits, closed]).toEqual([[1], true]);
  });

  test("is each app's own, from its settings if it likes", async () => {
    process.env = { QBIT_PASS: "hunter2" };
    const { done } = await resident(({ closers }) => closers.defer(() => new Promise(() => {})), {
      graceMs: ({ pass }) => (pass?.reveal().length ?? 0) * 1000,
    });
    process.emit("SIGTERM");
    await clock.advance(7000);
    await done;
    expect(process.messages().at(-1)).toBe("not closed within 7000 ms, exiting anyway");
  });
});

describe("failure", () => {
  test("a start that fails closes what was opened and is told once, with its cause", async () => {
    const closed: string[] = [];
    await run(async (_, { closers }) => {
      closers.defer(() => void closed.push("database"));
      closers.defer(() => Promise.reject(new Error("no connection")));
      throw new Error("opening the queue", { cause: new Error("disk full") });
    });
    expect([process.exits, closed]).toEqual([[1], ["database"]]);
    const errors = process.lines().filter(({ level }) => level === "fatal" || level === "error");
    expect(errors).toMatchObject([
      { level: "fatal", msg: "the app failed", err: { message: "opening the queue: disk full" } },
      { level: "error", err: { message: 'closing "unnamed": no connection' } },
    ]);
  });

  test("every closer that fails is told, and the exit code is 1", async () => {
    const { done } = await resident(({ closers }) => {
      for (const name of ["a", "b", "c"]) closers.defer(() => Promise.reject(new Error(name)));
    });
    process.emit("SIGTERM");
    await done;
    const errors = process.lines().filter(({ level }) => level === "error");
    expect(errors.map(({ err }) => err)).toMatchObject(
      ["c", "b", "a"].map((name) => ({ message: `closing "unnamed": ${name}` })),
    );
    expect(process.exits).toEqual([1]);
  });

  test("what nobody catches is told, and ends the service the same way with exit code 1", async () => {
    let closed = false;
    const { done } = await resident(({ closers }) => closers.defer(() => void (closed = true)));
    process.emit("uncaughtException", new TypeError("x is not a function"), "uncaughtException");
    await done;
    expect([process.exits, closed]).toEqual([[1], true]);
    expect(process.lines().find(({ level }) => level === "fatal")).toMatchObject({
      msg: "uncaught exception",
      err: { type: "TypeError", stack: expect.stringContaining("run-service.test.ts") },
    });
  });

  test("an error of the app while it stops is an error", async () => {
    const done = run(async (_, { signal }) => {
      await stopped(signal);
      throw new Error("saving the state");
    });
    await waitFor(() => process.out.length > 0, { what: "the app to run" });
    process.emit("SIGTERM");
    await done;
    expect(process.exits).toEqual([1]);
  });

  test("a crash before there is a log goes to stderr and sets the exit code", async () => {
    const done = run(() => Promise.resolve());
    process.emit("uncaughtException", new Error("early"), "unhandledRejection");
    await done;
    expect(process.err.join("")).toContain("unhandled rejection: Error: early");
    expect([process.exitCode, process.exits]).toEqual([1, [1]]);
  });
});

describe("the command line", () => {
  test("--help and --version are printed, and nothing is started", async () => {
    process.argv.push("--version");
    await run(() => Promise.reject(new Error("started")));
    expect([process.out.join(""), process.exitCode, process.exits]).toEqual(["port-sync 1.2.3\n", 0, []]);
  });

  test("faults in the settings are exit code 2", async () => {
    process.env = { LOG_LEVEL: "loud" };
    await run(() => Promise.reject(new Error("started")));
    expect(process.exitCode).toBe(2);
    expect(process.err.join("")).toContain("LOG_LEVEL");
  });

  test("a command runs instead of the app, with its log on stderr so that stdout is its own", async () => {
    process.argv.push("explain");
    await run(() => Promise.reject(new Error("started")), {
      commands: {
        explain: {
          about: "Explain.",
          run: async (_, { log }) => {
            log.warn("to the log");
            process.stdout.write("result\n");
            return 4;
          },
        },
      },
    });
    expect([process.out, process.exits]).toEqual([["result\n"], [4]]);
    expect(process.err.join("")).toContain("to the log");
  });

  test.each([
    [["doctor"], /^port-sync 1\.2\.3: 1 check\n\nPROBLEM {2}password {2}it is wrong\n.*→ correct it/u],
    [["doctor", "--json"], /^\{\s+"name": "port-sync",[^]*"todo": "correct it"/u],
  ])("%j looks at what the app needs in place of starting it, and ends with 1", async (args, told) => {
    process.argv.push(...args);
    const doctor = () =>
      Promise.resolve([{ name: "password", look: () => problem("it is wrong", "correct it") }]);
    await run(() => Promise.reject(new Error("started")), { doctor });
    expect(process.exits).toEqual([1]);
    expect(process.out.join("")).toMatch(told);
  });

  test("healthcheck is there in every app and asks the configured address", async () => {
    const { service, done } = await resident(async ({ health, closers }) => {
      closers.use(await health.listen({ host: "127.0.0.1", port: 0 }));
    });
    const url = process
      .messages()
      .find((line) => line.startsWith("health and metrics on"))
      ?.split(" ")
      .at(-1);
    expect(await healthcheckExit(`127.0.0.1:${new URL(url ?? "").port}`)).toEqual([0]);
    expect(await healthcheckExit("127.0.0.1:1")).toEqual([1]);
    expect(service.signal.aborted).toBe(false);
    process.emit("SIGTERM");
    await done;
  });

  async function healthcheckExit(address: string): Promise<number[]> {
    const asking = new FakeProcess();
    asking.argv.push("--health-addr", address, "healthcheck");
    const app = { name: "port-sync", version: "1.2.3", about: "x", settings, start: () => Promise.resolve() };
    await runService(app, asking, { clock: new FakeClock() });
    return asking.exits;
  }
});
