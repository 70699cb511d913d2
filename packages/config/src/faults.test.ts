import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { declareSettings } from "./declare-settings.ts";
import { programOf } from "./program-under-test.ts";
import { qbitSettings } from "./qbit-settings.ts";
import { setting } from "./setting.ts";

const settings = declareSettings(
  {
    ...qbitSettings({ url: { flag: "--qb-url", env: ["QBSYNC_QB_URL"], required: true } }),
    data: setting.path({ env: ["QBSYNC_DATA"], required: true, about: "Folder." }),
    sleep: setting.duration({ env: ["QBSYNC_SLEEP"], unit: "s", default: "30s", min: "1s", about: "Pause." }),
    minConnections: setting.integer({ env: ["MIN"], default: 2, about: "Fewest." }),
    maxConnections: setting.integer({ env: ["MAX"], default: 8, about: "Most." }),
    apiKey: setting.secret({ flag: "--api-key", about: "Key." }),
  },
  [
    {
      of: ["minConnections", "maxConnections"],
      check: ({ minConnections: min, maxConnections: max }) =>
        min <= max
          ? undefined
          : { wrong: `${min} is more than ${max}`, right: "a minimum up to the maximum" },
    },
  ],
);
const app = programOf(settings, { commands: [{ name: "healthcheck", about: "Ask." }] });

describe("faults", () => {
  test("are told all at once, each with its source, what is wrong and what is right", async () => {
    const { code, stdout, stderr } = await app.exit({
      argv: [
        "--sleep",
        "soon",
        "--min-conections",
        "3",
        "helthcheck",
        "--config-file",
        "config.yml",
        "--api-key",
      ],
      env: { QBSYNC_QB_URL: "http://admin:hunter2@ho st", QBSYNC_DATA: "", MIN_FILE: "/run/min", MAX: "8.5" },
      files: { "config.yml": "sleeep: 5" },
    });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toBe(`app cannot start: 9 things are wrong in its settings.

  --api-key
    from:  command line
    wrong: its value is missing
    right: --api-key with a secret text

  --min-conections
    from:  command line
    wrong: there is no such flag
    right: did you mean --min-connections?

  "helthcheck"
    from:  command line
    wrong: there is no such command
    right: did you mean healthcheck?

  sleeep
    from:  config.yml, line 1, column 1
    wrong: there is no such key
    right: did you mean sleep?

  --qb-url (QBSYNC_QB_URL, QBIT_URL)
    from:  QBSYNC_QB_URL
    wrong: "http://***@ho st" is not a URL
    right: a URL that begins with http:// or https://

  --data (QBSYNC_DATA)
    from:  QBSYNC_DATA
    wrong: it is required, but empty
    right: the path of a file or folder

  --sleep (QBSYNC_SLEEP)
    from:  flag --sleep
    wrong: "soon" is not a duration
    right: a duration such as 500ms, 30s or 7d, 1s or more; a bare number is in seconds

  --min-connections (MIN)
    from:  MIN_FILE (/run/min)
    wrong: the file does not exist
    right: a file that holds a whole number

  --max-connections (MAX)
    from:  MAX
    wrong: "8.5" is not a whole number
    right: a whole number

"app --help" explains every setting.
`);
  });

  const good = { QBIT_URL: "http://qbit:8080", QBSYNC_DATA: "/data" };

  test("between settings name all of them and their sources", async () => {
    const { stderr } = await app.exit({ argv: ["--min-connections=9"], env: good });
    expect(stderr).toContain(`
  --min-connections (MIN) and --max-connections (MAX)
    from:  flag --min-connections and default
    wrong: 9 is more than 8
    right: a minimum up to the maximum
`);
  });

  test("between settings are not looked for where one of them is wrong by itself", async () => {
    const { stderr } = await app.exit({ argv: ["--min-connections=9", "--max-connections=x"], env: good });
    expect(stderr).toContain("1 thing is wrong");
  });

  test("come after the warnings, which may explain them", async () => {
    const required = programOf({
      listen: setting.address({ env: ["PORT"], required: true, about: "Where." }),
    });
    const { stderr } = await required.exit({ env: { PORT: "tcp://10.0.0.1:80" } });
    expect(stderr).toMatch(/^warning: PORT is ignored: .*\napp cannot start: 1 thing is wrong/);
  });

  test.each([
    [["healthchek"], '"healthchek"', "there is no such command", "did you mean healthcheck?"],
    [["serve"], '"serve"', "there is no such command", "one of healthcheck"],
    [["healthcheck", "again"], '"again"', "one word too many", "at most one command"],
    [["--qb-ulr=http://x:hunter2@y"], "--qb-ulr", "there is no such flag", "did you mean --qb-url?"],
    [["-x"], "-x", "there is no such flag", "a flag that --help names"],
    [["--config-fiel=x"], "--config-fiel", "there is no such flag", "did you mean --config-file?"],
  ])("an argument that means nothing: %j", async (argv, ...[subject, wrong, right]) => {
    const { stderr } = await app.exit({ argv, env: good });
    expect(stderr).toContain(
      `  ${subject}\n    from:  command line\n    wrong: ${wrong}\n    right: ${right}\n`,
    );
    expect(stderr).not.toContain("hunter2");
  });

  test("a flag for a secret is answered with the secret's variables", async () => {
    const login = programOf({ qbitPass: setting.secret({ env: ["QBIT_PASS"], about: "Password." }) });
    const { stderr } = await login.exit({ argv: ["--qbit-pass=hunter2"] });
    expect(stderr).toContain("wrong: a secret has no flag\n    right: QBIT_PASS or its _FILE variant");
    expect(stderr).not.toContain("hunter2");
  });

  test("what a variable's file holds is never shown: it may be the wrong file", async () => {
    const timed = programOf({ every: setting.duration({ env: ["EVERY"], unit: "s", about: "How often." }) });
    const files = { "/run/secrets/pass": "hunter2" };
    const { stderr } = await timed.exit({ env: { EVERY_FILE: "/run/secrets/pass" }, files });
    expect(stderr).toContain("wrong: the value is not a duration");
    expect(stderr).not.toContain("hunter2");
  });

  test("a variable's file that is not there is answered with what it should hold", async () => {
    const timed = programOf({ every: setting.duration({ env: ["EVERY"], unit: "s", about: "How often." }) });
    const { stderr } = await timed.exit({ env: { EVERY_FILE: "/nope" } });
    expect(stderr).toContain("wrong: the file does not exist\n    right: a file that holds a duration");
  });

  test("words that mean nothing on purpose are no fault", async () => {
    const source = programOf(
      {},
      { ignoredWords: ["source"], commands: [{ name: "healthcheck", about: "Ask." }] },
    );
    expect((await source.run({ argv: ["source"] })).command).toBeUndefined();
    expect((await source.run({ argv: ["source", "healthcheck"] })).command).toBe("healthcheck");
  });

  test("never show a secret, whatever it is and wherever it comes from", async () => {
    const strict = programOf({
      pass: setting.secret({ flag: "--pass", env: ["PASS", "QBIT_PASS"], about: "Password." }),
      needed: setting.text({ required: true, about: "Not given, so that every start ends in a fault." }),
    });
    const secret = fc.string({ unit: "binary" }).map((noise) => `hunter2${noise}`);
    await fc.assert(
      fc.asyncProperty(secret, fc.constantFrom("flag", "variable", "file", "yaml"), async (text, place) => {
        const { stdout, stderr } = await strict.exit({
          argv: [
            "--print-config",
            ...(place === "flag" ? ["--pass", text] : []),
            ...(place === "yaml" ? ["--config-file", "c.yml"] : []),
          ],
          env:
            place === "variable"
              ? { PASS: text, QBIT_PASS: `${text}2` }
              : place === "file"
                ? { PASS_FILE: "f" }
                : {},
          files: { f: text, "c.yml": `pass: ${text}` },
        });
        return !`${stdout}${stderr}`.includes("hunter2");
      }),
    );
  });

  test("do not show a secret that is refused", async () => {
    const { kind, options } = setting.secret({ env: ["PASS"], about: "Password." });
    const picky = { ...kind, parse: () => ({ ok: false, problem: "is too short" }) as const };
    const { stderr } = await programOf({ pass: { kind: picky, options } }).exit({ env: { PASS: "hunter2" } });
    expect(stderr).toContain("wrong: the value is too short\n");
    expect(stderr).not.toContain("hunter2");
  });

  test("are all that an odd command line, environment or file can lead to", async () => {
    const word = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("--", "-", "--data", "--no-data", "--sleep=", "-h=", "--config-file", "c.yml"),
    );
    const env = fc.dictionary(
      fc.constantFrom("QBIT_URL", "QBSYNC_DATA_FILE", "MIN", "MAX", "QBIT_PASS"),
      fc.string({ unit: "binary" }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word), env, fc.string({ unit: "binary" }), async (argv, variables, yaml) => {
        const result = await app.read({ argv, env: variables, files: { "c.yml": yaml } });
        return result.kind === "run" || [0, 2].includes(result.code);
      }),
    );
  });
});

test.each([
  [
    ["--nope", "x", "surplus", "again"],
    ["--nope", '"surplus"', '"again"'],
  ],
  [
    ["--nope=x", "surplus"],
    ["--nope", '"surplus"'],
  ],
  [["--nope", "x"], ["--nope"]],
])(
  "words behind an unknown flag are faults as well, but for what may be its value: %j",
  async (argv, subjects) => {
    const { stderr } = await programOf({}).exit({ argv });
    expect([...stderr.matchAll(/^ {2}(\S+)$/gm)].map(([, subject]) => subject)).toEqual(subjects);
  },
);
