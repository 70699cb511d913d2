import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { programOf } from "./program-under-test.ts";
import { setting } from "./setting.ts";

const about = "X.";
const app = programOf({
  serverHost: setting.text({ key: "server.host", env: ["HOST"], about }),
  serverPort: setting.integer({ key: "server.port", about }),
  apiKey: setting.secret({ key: "server.api_key", env: ["API_KEY"], about }),
  cleanupAfter: setting.duration({ key: "queue.cleanup_after", unit: "d", about }),
  user: setting.text({ key: ["qbittorrent.username", "qbittorrent.user"], about }),
  dryRun: setting.toggle({ key: "engine.dry_run", about }),
  tags: setting.list({ about }),
});

const fromFile = (yaml: string) => ({ argv: ["--config-file", "config.yml"], files: { "config.yml": yaml } });

/** The faults as `subject | from | wrong | right`. */
async function faults(yaml: string): Promise<string[]> {
  const { stderr } = await app.exit(fromFile(yaml));
  return stderr
    .split("\n\n")
    .slice(1, -1)
    .map((entry) => entry.trim().replace(/\n\s+(from|wrong|right):\s+/g, " | "));
}

describe("a config file", () => {
  test("holds settings under nested keys", async () => {
    const { config, sources } = await app.run(
      fromFile(
        "server:\n  host: 0.0.0.0\n  port: 5000\n  api_key: hunter2\nqueue:\n  cleanup_after: 7d  # a week\nengine: {dry_run: yes}\n",
      ),
    );
    expect(config).toMatchObject({
      serverHost: "0.0.0.0",
      serverPort: 5000,
      cleanupAfter: 604_800_000,
      dryRun: true,
    });
    expect(config.apiKey?.reveal()).toBe("hunter2");
    expect(sources["cleanupAfter"]).toBe("config.yml: queue.cleanup_after, line 6");
  });

  test("may write a dotted key in one piece", async () => {
    const { config } = await app.run(fromFile("server.port: 5000"));
    expect(config.serverPort).toBe(5000);
  });

  test.each(["qbittorrent: {user: admin}", "qbittorrent: {username: admin}"])(
    "knows old keys: %s",
    async (yaml) => {
      expect((await app.run(fromFile(yaml))).config.user).toBe("admin");
    },
  );

  test("takes a scalar as it is written: a password of digits keeps its zeros", async () => {
    const { config } = await app.run(fromFile("server: {api_key: 0012, host: true}"));
    expect(config.apiKey?.reveal()).toBe("0012");
    expect(config.serverHost).toBe("true");
  });

  test("may hold numbers as Helm renders them", async () => {
    expect((await app.run(fromFile("server: {port: 1e+06}"))).config.serverPort).toBe(1_000_000);
  });

  test("holds a list as a sequence or with commas, and an empty one on purpose", async () => {
    expect((await app.run(fromFile('tags: ["a,b", c]'))).config.tags).toEqual(["a,b", "c"]);
    expect((await app.run(fromFile("tags: a, b"))).config.tags).toEqual(["a", "b"]);
    expect((await app.run(fromFile("tags: []"))).config.tags).toEqual([]);
  });

  test("may use anchors", async () => {
    const { config } = await app.run(
      fromFile("server: {host: &name qbt}\nqbittorrent: {user: *name}\ntags: [*name]"),
    );
    expect(config).toMatchObject({ user: "qbt", tags: ["qbt"] });
  });

  test.each(["", "# nothing yet\n", "server:\nqueue:\n", "server: {host: }"])(
    "may be empty: %j",
    async (yaml) => {
      expect((await app.run(fromFile(yaml))).config.serverHost).toBeUndefined();
    },
  );

  test("may hold sections of other programs where the program says so", async () => {
    const worker = programOf(
      { file: setting.path({ key: "rules.file", about }) },
      { configFile: { otherKeys: ["server", "schedule"] } },
    );
    const { config } = await worker.run(
      fromFile("server: {port: 5000}\nschedule: [{cron: '@daily'}]\nrules: {file: r.yml}"),
    );
    expect(config.file).toBe("r.yml");
  });
});

describe("what is wrong in a config file", () => {
  test("a slip in a key gets the nearest name, with the place", async () => {
    expect(await faults("server:\n  prot: 5000\nqeue: {cleanup_after: 7d}\nzzz: 1")).toEqual([
      "server.prot | config.yml, line 2, column 3 | there is no such key | did you mean server.port?",
      "qeue | config.yml, line 3, column 1 | there is no such key | did you mean queue?",
      "zzz | config.yml, line 4, column 1 | there is no such key | a key that --help names",
    ]);
  });

  test("a wrong type is told with the place", async () => {
    expect(await faults("server:\n  host: [a]\n  port: {a: 1}\nqueue: 7d")).toEqual([
      'queue | config.yml, line 4, column 1 | is not a mapping | a mapping of settings, such as "key: value"',
      "--server-host (HOST) | config.yml: server.host, line 2 | it is a list | a text",
      "--server-port (server.port) | config.yml: server.port, line 3 | it is a mapping | a whole number",
    ]);
  });

  test("a list holds only texts", async () => {
    expect(await faults("tags: [a, {b: c}]")).toEqual([
      "--tags (tags) | config.yml: tags, line 1 | not every item of the list is a text | a list, separated by commas",
    ]);
  });

  test("a wrong value is told with the place, a secret without its value", async () => {
    expect(await faults("server:\n  port: many\n  api_key: [hunter2]")).toEqual([
      '--server-port (server.port) | config.yml: server.port, line 2 | "many" is not a whole number | a whole number',
      "API_KEY | config.yml: server.api_key, line 3 | it is a list | a secret text",
    ]);
  });

  test("a key that stands there twice is refused, also under its old name", async () => {
    expect(await faults("server:\n  port: 1\n  port: 2")).toEqual([
      "config.yml | config.yml, line 3, column 3 | the same key stands here twice | each key once",
    ]);
    expect(await faults("qbittorrent: {user: a, username: b}")).toEqual([
      "--user (qbittorrent.username, qbittorrent.user) | config.yml: qbittorrent.username, line 1 | the file has this setting twice, as qbittorrent.username and qbittorrent.user | a text",
    ]);
  });

  test.each([
    ["a: b: c", "line 1, column 4"],
    ["server:\n\tport: 1", "line 2, column 1"],
    ['server: {api_key: "hunter2', "line 1"],
    ["server:\n  api_key: @hunter2", "line 2, column 12"],
    ["server:\n  api_key: hunter2: hunter2", "line 2, column 12"],
    ["server:\n  api_key: 'x' hunter2", "line 2"],
    ["server: !vault hunter2", "line 1, column 9"],
    ["server: *hunter2", "line 1, column 1"],
    ["a: 1\n---\nb: hunter2", "line 2"],
  ])("broken YAML is told with the place and without its content: %j", async (yaml, place) => {
    const { code, stderr } = await app.exit(fromFile(yaml));
    expect(code).toBe(2);
    expect(stderr).toContain(`from:  config.yml, ${place}`);
    expect(stderr).not.toContain("hunter2");
  });

  test("YAML, however broken, is never quoted: it may hold secrets", async () => {
    const pieces =
      "hunter2|: |\n|  |- |[|]|{|}|'|\"|!|!hunter2! |!<hunter2>|&hunter2 |*hunter2|%hunter2\n|---\n|? |>|#|,|\t|@|`";
    const yaml = fc.array(fc.constantFrom(...pieces.split("|"), "|"), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(yaml, async (parts) => {
        const result = await app.read(fromFile(parts.join("")));
        const complaints = result.kind === "exit" ? result.stderr : "";
        return !(complaints.includes("not understood") && complaints.includes("hunter2"));
      }),
      { numRuns: 3000 },
    );
  });

  test("a text that is no mapping", async () => {
    expect(await faults("just words")).toEqual([
      'config.yml | config.yml, line 1, column 1 | is not a mapping | a mapping of settings, such as "key: value"',
    ]);
  });
});

describe("where the config file is", () => {
  const path = programOf(
    { dir: setting.path({ env: ["DIR"], default: "/config", about }), name: setting.text({ about }) },
    {
      configFile: { flag: "--settings", env: ["APP_SETTINGS"], default: ({ dir }) => `${dir}/app.yml` },
    },
  );
  const files = {
    "a.yml": "name: a",
    "b.yml": "name: b",
    "/config/app.yml": "name: c",
    "/else/app.yml": "name: d",
  };

  test.each([
    [["--settings", "a.yml"], { APP_SETTINGS: "b.yml" }, "a"],
    [[], { APP_SETTINGS: "b.yml" }, "b"],
    [[], { APP_SETTINGS: "" }, "c"],
    [[], { DIR: "/else" }, "d"],
    [[], { DIR: "/nowhere" }, undefined],
  ])("flags %j and variables %j", async (argv, env, name) => {
    expect((await path.run({ argv, env, files })).config.name).toBe(name);
  });

  test("a file that was named must be there; nothing is said to be missing because of it", async () => {
    const strict = programOf({ data: setting.path({ required: true, about }) });
    const { code, stderr } = await strict.exit({ env: { CONFIG_FILE: "/nowhere.yml" } });
    expect(code).toBe(2);
    expect(stderr).toBe(`app cannot start: 1 thing is wrong in its settings.

  config file
    from:  CONFIG_FILE: /nowhere.yml
    wrong: the file does not exist
    right: a YAML file

"app --help" explains every setting.
`);
  });
});
