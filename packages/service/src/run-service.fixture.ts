import { declareSettings, setting } from "@qbit-sidecars/config";

import { runService, serviceSettings, stopped } from "./index.ts";

/** A service of the tests: run as a real process, it behaves as BEHAVIOUR says. */
const settings = declareSettings({
  ...serviceSettings({ healthAddr: "127.0.0.1:0" }),
  behaviour: setting.text({ env: ["BEHAVIOUR"], default: "resident", about: "What the test is about." }),
  graceMs: setting.duration({ env: ["GRACE"], default: "10s", unit: "s", about: "The grace period." }),
  pass: setting.secret({ env: ["QBIT_PASS"], about: "A secret." }),
});

/** Ends when nothing is left open, instead of being ended: what stays open becomes visible as a hanging test. */
const gentle = Object.assign(Object.create(process), {
  exit: (code: number) => (process.exitCode = code),
});

await runService(
  {
    name: "fixture",
    version: "1.0.0",
    about: "Behaves as it is told.",
    settings,
    graceMs: (config) => config.graceMs,
    commands: {
      greet: { about: "Say hello.", run: () => Promise.resolve(process.stdout.write("hello\n") ? 3 : 4) },
    },
    async start(config, { closers, health, log, signal }) {
      const { behaviour } = config;
      closers.defer(function firstOpened() {
        log.info("closed: first opened");
      });
      closers.use(await health.listen(config.healthAddr));
      if (behaviour === "start fails")
        throw new Error("opening the queue", { cause: new Error("disk full") });
      closers.defer(async function lastOpened() {
        if (behaviour === "closer hangs") await new Promise(() => {});
        if (behaviour === "closer fails") throw new Error("flushing");
        log.info("closed: last opened");
      });
      if (behaviour === "throws")
        setTimeout(() => {
          throw new TypeError("nobody catches this");
        });
      if (behaviour === "rejects") void Promise.reject(new TypeError("nobody awaits this"));
      log.info("ready");
      if (behaviour === "once") return 7;
      await stopped(signal);
      if (behaviour === "never returns") await new Promise(() => {});
      return undefined;
    },
  },
  // oxlint-disable-next-line node/no-process-env -- this file is the main.ts of its process
  process.env["LEAK_CHECK"] === undefined ? process : gentle,
);
