import { describe, expect, test } from "vitest";
import { programOf } from "./program-under-test.ts";
import { setting } from "./setting.ts";

const app = programOf(
  {
    url: setting.url({
      flag: "--qb-url",
      env: ["QB_URL", "QBIT_URL"],
      key: "qbittorrent.url",
      group: "qBittorrent",
      default: "http://localhost:8080",
      about: "Address of qBittorrent's Web UI.",
    }),
    pass: setting.secret({
      env: ["QB_PASSWORD", "QBIT_PASS"],
      key: "qbittorrent.password",
      group: "qBittorrent",
      about: "Web UI password.",
    }),
    data: setting.path({ env: ["DATA"], required: true, about: "Folder with the downloads." }),
    savePath: setting.path({
      env: ["SAVE_PATH"],
      defaultText: "same as --data",
      about: "The same folder as qBittorrent sees it.",
    }),
    sleep: setting.duration({ env: ["SLEEP"], unit: "s", default: 30_000, about: "Pause between checks." }),
    dryRun: setting.toggle({ env: ["DRY_RUN"], key: false, default: false, about: "Change nothing." }),
    trap: setting.text({ hidden: true, about: "For tests." }),
  },
  {
    about: "Streams verified pieces of torrents to another qBittorrent while they still download.",
    commands: [{ name: "healthcheck", about: "Ask the running service; exit code 0 or 1." }],
    examples: ["app --data /downloads --qb-url http://qbit:8080"],
    configFile: { default: "/config/config.yml" },
  },
);

describe("--help", () => {
  test("explains every setting with all its names", async () => {
    const { code, stdout, stderr } = await app.exit({ argv: ["--help"] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`app 1.2.3
Streams verified pieces of torrents to another qBittorrent while they still
download.

Usage: app [flags] [command]

Commands:
  healthcheck
      Ask the running service; exit code 0 or 1.

qBittorrent:
  --qb-url <url>
      Address of qBittorrent's Web UI.
      QB_URL | QBIT_URL | file key: qbittorrent.url
      default: http://localhost:8080
  QB_PASSWORD
      Web UI password.
      QBIT_PASS | file key: qbittorrent.password | optional

Settings:
  --data <path>
      Folder with the downloads.
      DATA | file key: data | required
  --save-path <path>
      The same folder as qBittorrent sees it.
      SAVE_PATH | file key: save_path | default: same as --data
  --sleep <duration>
      Pause between checks (a bare number is in seconds).
      SLEEP | file key: sleep | default: 30s
  --[no-]dry-run
      Change nothing.
      DRY_RUN | default: false

Every program:
  --config-file <path>
      YAML file with settings.
      CONFIG_FILE | default: /config/config.yml
  --print-config
      Print the effective settings and where each came from, secrets hidden.
  -h, --help
  -V, --version

Examples:
  app --data /downloads --qb-url http://qbit:8080

How values are found:
  A flag wins over VARIABLE_FILE, that over VARIABLE, that over the config file,
  that over the default.
  Every variable also exists as VARIABLE_FILE: the path of a small file that
  holds the value, for secrets.
  Of several variables for one setting, the first one named wins. Dots in a file
  key stand for nesting.
`);
  });

  test("says of what a check of the app requires that it is required, not that this is its default", async () => {
    const topic = setting.text({ env: ["TOPIC"], defaultText: "required", about: "Topic." });
    const { stdout } = await programOf({ topic }).exit({ argv: ["--help"] });
    expect(stdout).toContain("TOPIC | file key: topic | required\n");
  });

  test.each([
    [40, 60],
    [80, 80],
    [100, 100],
    [250, 100],
  ])("on a terminal of %i columns has at most %i", async (columns, most) => {
    const { stdout } = await app.exit({ argv: ["--help"], columns });
    const widest = Math.max(...stdout.split("\n").map((line) => line.length));
    expect(widest).toBeLessThanOrEqual(most);
    expect(widest).toBeGreaterThan(most - 20);
  });

  test.each([
    [["-h"]],
    [["help"]],
    [["healthcheck", "--help"]],
    [["--unknown", "--help"]],
    [["--data", "--data", "-h"]],
  ])("is asked for by %j, whatever else is wrong", async (argv) => {
    expect((await app.exit({ argv })).stdout).toMatch(/^app 1\.2\.3\n/);
  });
});

test("--version prints name and version, also where settings are wrong", async () => {
  for (const flag of ["--version", "-V"]) {
    expect(await app.exit({ argv: [flag, "--nonsense"] })).toMatchObject({ code: 0, stdout: "app 1.2.3\n" });
  }
});
