import { describe, expect, test } from "vitest";
import { programOf } from "./program-under-test.ts";
import { Secret } from "./secret.ts";
import { setting, type Setting } from "./setting.ts";

const X = { env: ["X"], about: "X." } as const;

/** What becomes of the text of a variable: the value, or the fault's words about it. */
async function outcome(x: Setting<unknown>, text: string): Promise<unknown> {
  const result = await programOf({ x }).read({ env: { X: text } });
  if (result.kind === "run") return result.config.x;
  return /wrong: .*\n.*right: .*/.exec(result.stderr)?.[0].replace(/\n\s*/, "; ");
}

describe("a toggle", () => {
  test.each(["true", "TRUE", "yes", "On", "1"])("is on with %s", async (text) => {
    expect(await outcome(setting.toggle(X), text)).toBe(true);
  });

  test.each(["false", "No", "off", "0"])("is off with %s", async (text) => {
    expect(await outcome(setting.toggle(X), text)).toBe(false);
  });

  test("refuses other words", async () => {
    expect(await outcome(setting.toggle(X), "maybe")).toBe(
      'wrong: "maybe" is neither true nor false; right: true or false (also yes/no, on/off, 1/0)',
    );
  });

  const dryRun = programOf({ dryRun: setting.toggle({ default: false, about: "Only look." }) });

  test.each([
    [["--dry-run"], true],
    [["--no-dry-run"], false],
    [["--dry-run", "--no-dry-run"], false],
    [["--dry-run=true"], true],
    [["--dry-run=0"], false],
    [[], false],
  ])("flags %j give %s", async (argv, value) => {
    expect((await dryRun.run({ argv })).config.dryRun).toBe(value);
  });

  test("its flag takes no word after it", async () => {
    const program = programOf(
      { dryRun: setting.toggle({ default: false, about: "Only look." }) },
      { ignoredWords: ["source"] },
    );
    expect((await program.run({ argv: ["--dry-run", "source"] })).config.dryRun).toBe(true);
  });

  test("a flag with an odd word is a fault", async () => {
    const { stderr } = await dryRun.exit({ argv: ["--dry-run=maybe"] });
    expect(stderr).toContain('wrong: "maybe" is neither true nor false');
  });
});

describe("numbers", () => {
  const workers = setting.integer({ ...X, min: 1, max: 64 });

  test.each([
    ["8", 8],
    [" 8 ", 8],
    ["+8", 8],
    ["1e+01", 10],
  ])("an integer reads %j", async (text, value) => {
    expect(await outcome(workers, text)).toBe(value);
  });

  test.each([
    ["0", 'wrong: "0" is less than 1; right: a whole number from 1 to 64'],
    ["65", 'wrong: "65" is more than 64; right: a whole number from 1 to 64'],
    ["8.5", 'wrong: "8.5" is not a whole number; right: a whole number from 1 to 64'],
    ["0x10", 'wrong: "0x10" is not a whole number; right: a whole number from 1 to 64'],
    [
      "99999999999999999999",
      'wrong: "99999999999999999999" is too large; right: a whole number from 1 to 64',
    ],
  ])("an integer refuses %j", async (text, words) => {
    expect(await outcome(workers, text)).toBe(words);
  });

  test("an integer without limits may be negative", async () => {
    expect(await outcome(setting.integer(X), "-5")).toBe(-5);
  });

  test("a port is between 1 and 65535", async () => {
    expect(await outcome(setting.port(X), "65535")).toBe(65_535);
    expect(await outcome(setting.port(X), "0")).toBe(
      'wrong: "0" is less than 1; right: a port from 1 to 65535',
    );
  });

  test("a duration keeps its limits, told as a person would write them", async () => {
    const timeout = setting.duration({ ...X, unit: "s", min: "1s", max: "1h" });
    expect(await outcome(timeout, "90")).toBe(90_000);
    expect(await outcome(timeout, "2h")).toBe(
      'wrong: "2h" is more than 1h; right: a duration such as 500ms, 30s or 7d from 1s to 1h; a bare number is in seconds',
    );
  });

  test("a size is in bytes, bare numbers in the unit of the setting", async () => {
    const space = setting.size({ ...X, unit: "GB" });
    expect(await outcome(space, "50")).toBe(50_000_000_000);
    expect(await outcome(space, "512MiB")).toBe(536_870_912);
    expect(await outcome(space, "much")).toBe(
      'wrong: "much" is not a size; right: a size such as 512MiB or 50GB; a bare number is in GB',
    );
  });
});

describe("texts", () => {
  test("a text and a secret are kept as they are", async () => {
    expect(await outcome(setting.text(X), " a\tb ")).toBe(" a\tb ");
    const secret = await outcome(setting.secret(X), " a b ");
    expect(secret instanceof Secret && secret.reveal()).toBe(" a b ");
  });

  test("a text may have to match a pattern", async () => {
    const key = setting.text({
      ...X,
      pattern: { regex: /^[a-z]+\/[a-z]+$/, means: "a key such as qbsync/drain" },
    });
    expect(await outcome(key, "qbsync/drain")).toBe("qbsync/drain");
    expect(await outcome(key, "Drain!")).toBe(
      'wrong: "Drain!" is not a key such as qbsync/drain; right: a key such as qbsync/drain',
    );
  });

  test("a path that holds a certificate instead is refused", async () => {
    expect(await outcome(setting.path(X), "-----BEGIN\nCERT")).toBe(
      'wrong: "-----BEGIN\\nCERT" holds a line break or a NUL: is it the content of a file rather than its path?; right: the path of a file or folder',
    );
  });

  test("a list is separated by commas", async () => {
    expect(await outcome(setting.list(X), "a, b,,c ")).toEqual(["a", "b", "c"]);
  });

  test("a list's flag may be repeated", async () => {
    const { config } = await programOf({ tag: setting.list(X) }).run({ argv: ["--tag", "a,b", "--tag=c"] });
    expect(config.tag).toEqual(["a", "b", "c"]);
  });
});

describe("words", () => {
  test("a choice is one of its words in any case", async () => {
    const lost = setting.choice({ ...X, values: ["keep", "park"] });
    expect(await outcome(lost, "Park")).toBe("park");
    expect(await outcome(lost, "drop")).toBe(
      'wrong: "drop" is none of these words; right: one of keep, park',
    );
  });

  test.each([
    ["info", "info"],
    ["INFO", "info"],
    ["WARNING", "warn"],
    ["Warn", "warn"],
    ["critical", "fatal"],
  ])("log level %s is %s", async (text, level) => {
    expect(await outcome(setting.logLevel(X), text)).toBe(level);
  });
});

describe("addresses", () => {
  test("an address to connect to needs a host", async () => {
    const destination = setting.address({ ...X, hostRequired: true });
    expect(await outcome(destination, "192.168.1.100:50051")).toEqual({
      host: "192.168.1.100",
      port: 50_051,
    });
    expect(await outcome(destination, ":50051")).toBe(
      'wrong: ":50051" has no host; right: a host and a port such as 192.168.1.100:50051 or [::1]:50051',
    );
  });

  test("a URL says which schemes it may have", async () => {
    expect(await outcome(setting.url({ ...X, schemes: ["redis", "rediss"] }), "http://redis")).toBe(
      'wrong: "http://redis" is a http URL; right: a URL that begins with redis:// or rediss://',
    );
  });
});
