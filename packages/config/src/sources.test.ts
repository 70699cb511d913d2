import { describe, expect, test } from "vitest";
import { programOf } from "./program-under-test.ts";
import { setting } from "./setting.ts";

const interval = programOf({
  interval: setting.duration({
    env: ["INTERVAL", "APP_INTERVAL"],
    unit: "s",
    default: "60s",
    about: "How often.",
  }),
});
const inFile = ["--config-file", "config.yml"];
const everywhere = {
  argv: ["--interval", "1s", ...inFile],
  env: { INTERVAL: "3s", INTERVAL_FILE: "/run/interval", APP_INTERVAL: "4s" },
  files: { "/run/interval": "2s\n", "config.yml": "interval: 5s" },
};

describe("where a value comes from", () => {
  test.each([
    { first: "the flag", given: everywhere, ms: 1000, from: "flag --interval" },
    {
      first: "the file that a variable names",
      given: { ...everywhere, argv: inFile },
      ms: 2000,
      from: "INTERVAL_FILE (/run/interval)",
    },
    {
      first: "the variable",
      given: { env: { INTERVAL: "3s", APP_INTERVAL: "4s" } },
      ms: 3000,
      from: "INTERVAL",
    },
    {
      first: "the next variable",
      given: { ...everywhere, argv: inFile, env: { APP_INTERVAL: "4s" } },
      ms: 4000,
      from: "APP_INTERVAL",
    },
    {
      first: "the config file",
      given: { ...everywhere, argv: inFile, env: {} },
      ms: 5000,
      from: "config.yml: interval, line 1",
    },
    { first: "the default", given: {}, ms: 60_000, from: "default" },
  ])("of what is given, $first comes first", async ({ given, ms, from }) => {
    const { config, sources } = await interval.run(given);
    expect(config.interval).toBe(ms);
    expect(sources["interval"]).toBe(from);
  });

  test("a flag may stand before or after the command, with = or without", async () => {
    const program = programOf(
      { interval: setting.duration({ unit: "s", default: "60s", about: "How often." }) },
      { commands: [{ name: "healthcheck", about: "Ask." }] },
    );
    for (const argv of [
      ["--interval", "1s", "healthcheck"],
      ["healthcheck", "--interval=1s"],
    ]) {
      const { command, config } = await program.run({ argv });
      expect({ command, ...config }).toEqual({ command: "healthcheck", interval: 1000 });
    }
  });

  test("a command's own switch is told with it, and is a fault without it", async () => {
    const program = programOf(
      {},
      {
        commands: [
          { name: "doctor", about: "Look.", switches: ["--json"] },
          { name: "other", about: "Else." },
        ],
      },
    );
    expect(await program.read({ argv: ["doctor", "--json"] })).toMatchObject({ switches: ["--json"] });
    expect(await program.read({ argv: ["doctor"] })).toMatchObject({ switches: [] });
    for (const argv of [["--json"], ["other", "--json"]])
      expect((await program.exit({ argv })).stderr).toContain("it belongs to the command doctor");
  });

  test("of a flag given twice, the last one counts", async () => {
    const { config } = await interval.run({ argv: ["--interval", "1s", "--interval", "2s"] });
    expect(config.interval).toBe(2000);
  });
});

describe("several variables for one setting", () => {
  test("differing values: a warning names both and the winner", async () => {
    const { config, warnings } = await interval.run({ env: { APP_INTERVAL: "4s", INTERVAL: "3s" } });
    expect(config.interval).toBe(3000);
    expect(warnings).toEqual(["INTERVAL and APP_INTERVAL are set to different values: INTERVAL wins"]);
  });

  test("the same value, however it is written, is silent", async () => {
    const { warnings } = await interval.run({ env: { INTERVAL: "120", APP_INTERVAL: "2m" } });
    expect(warnings).toEqual([]);
  });

  test("a variable beside its own _FILE: the file wins, with a warning", async () => {
    const { config, warnings } = await interval.run({
      env: { INTERVAL: "3s", INTERVAL_FILE: "/run/interval" },
      files: { "/run/interval": "2s" },
    });
    expect(config.interval).toBe(2000);
    expect(warnings).toEqual(["INTERVAL and INTERVAL_FILE are both set: INTERVAL_FILE wins"]);
  });

  test("a warning about secrets does not show them", async () => {
    const program = programOf({ pass: setting.secret({ env: ["PASS", "QBIT_PASS"], about: "Password." }) });
    const { warnings } = await program.run({ env: { PASS: "hunter2", QBIT_PASS: "hunter3" } });
    expect(warnings).toEqual(["PASS and QBIT_PASS are set to different values: PASS wins"]);
  });

  test("a flag overrides variables without a warning", async () => {
    const { warnings } = await interval.run({
      argv: ["--interval=1s"],
      env: { INTERVAL: "3s", APP_INTERVAL: "4s" },
    });
    expect(warnings).toEqual([]);
  });
});

describe("set but empty", () => {
  test("counts as not set, so that Compose's ${VAR:-} does no harm", async () => {
    const { config, sources } = await interval.run({
      argv: ["--interval", ""],
      env: { INTERVAL: "", APP_INTERVAL: " " },
    });
    expect(config.interval).toBe(60_000);
    expect(sources["interval"]).toBe("default");
  });

  test("an empty file that a variable names counts as not set, with a warning", async () => {
    const { config, warnings } = await interval.run({
      env: { INTERVAL_FILE: "/run/interval", APP_INTERVAL: "4s" },
      files: { "/run/interval": "\n" },
    });
    expect(config.interval).toBe(4000);
    expect(warnings).toEqual(["INTERVAL_FILE (/run/interval) is empty and counts as not set"]);
  });

  const tag = programOf({
    syncedTag: setting.text({
      env: ["SYNCED_TAG"],
      default: "synced",
      emptyIs: "value",
      about: "Empty to disable.",
    }),
  });

  test.each([
    ["variable", { env: { SYNCED_TAG: "" } }],
    ["flag", { argv: ["--synced-tag", ""] }],
    ["flag with =", { argv: ["--synced-tag="] }],
    ["file", { env: { SYNCED_TAG_FILE: "tag" }, files: { tag: "\n" } }],
    ["config file", { argv: ["--config-file", "c.yml"], files: { "c.yml": 'synced_tag: ""' } }],
  ])("is a value where the setting says so: %s", async (_, given) => {
    const { config, warnings } = await tag.run(given);
    expect(config.syncedTag).toBe("");
    expect(warnings).toEqual([]);
  });

  test("a key without a value in the config file is not set even then", async () => {
    const { config } = await tag.run({
      argv: ["--config-file", "c.yml"],
      files: { "c.yml": "synced_tag:\n" },
    });
    expect(config.syncedTag).toBe("synced");
  });
});

describe("variables that Kubernetes sets for Services", () => {
  const program = programOf({
    listen: setting.address({ env: ["LISTEN", "PORT"], default: ":50051", about: "Where." }),
    port: setting.integer({ env: ["QBT_RULES_SERVER_PORT"], default: 5000, about: "Port." }),
    name: setting.text({ env: ["NAME"], about: "Name." }),
  });

  test("are ignored with a warning where a port, a number or an address is meant", async () => {
    const { config, warnings } = await program.run({
      env: { PORT: "tcp://10.0.0.1:80", QBT_RULES_SERVER_PORT: "tcp://10.0.0.2:5000" },
    });
    expect(config).toEqual({ listen: { host: undefined, port: 50_051 }, port: 5000, name: undefined });
    expect(warnings).toEqual([
      'PORT is ignored: "tcp://10.0.0.1:80" is what Kubernetes sets for a Service of that name (enableServiceLinks: false in the pod turns that off)',
      'QBT_RULES_SERVER_PORT is ignored: "tcp://10.0.0.2:5000" is what Kubernetes sets for a Service of that name (enableServiceLinks: false in the pod turns that off)',
    ]);
  });

  test("leave the next variable its chance", async () => {
    const { config } = await program.run({ env: { LISTEN: "tcp://10.0.0.1:80", PORT: "9000" } });
    expect(config.listen.port).toBe(9000);
  });

  test("are plain values elsewhere", async () => {
    const { config } = await program.run({ env: { NAME: "tcp://10.0.0.1:80" } });
    expect(config.name).toBe("tcp://10.0.0.1:80");
  });
});
