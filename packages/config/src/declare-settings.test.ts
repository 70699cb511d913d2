import { describe, expect, expectTypeOf, test } from "vitest";
import type { Address } from "./address.ts";
import { readCommandLine } from "./command-line.ts";
import { DeclarationError, declareSettings, type ConfigOf } from "./declare-settings.ts";
import type { Secret } from "./secret.ts";
import { setting } from "./setting.ts";
import type { LogLevel } from "./word-kinds.ts";

const about = "X.";

describe("declareSettings", () => {
  test("makes flag and key of the name", () => {
    const { declared } = declareSettings({
      qbitCaCertFile: setting.path({ about }),
      once: setting.toggle({ key: false, about }),
    });
    expect(declared.map(({ flag, keys }) => [flag, ...keys])).toEqual([
      ["--qbit-ca-cert-file", "qbit_ca_cert_file"],
      ["--once"],
    ]);
  });

  test("gives a secret no flag unless it names one: arguments can be read by everyone on the host", () => {
    const { declared } = declareSettings({
      pass: setting.secret({ about }),
      apiKey: setting.secret({ flag: "--api-key", about }),
    });
    expect(declared.map(({ flag }) => flag)).toEqual([undefined, "--api-key"]);
  });

  test.each([
    [
      "X and X_FILE are both variables",
      () =>
        declareSettings({
          listen: setting.address({ env: ["PORT"], about }),
          file: setting.path({ env: ["PORT_FILE"], about }),
        }),
      "PORT (listen) and PORT_FILE (file) cannot both be settings: PORT_FILE would also name a file to read PORT from",
    ],
    [
      "X and X_FILE are variables of the same setting",
      () => declareSettings({ pass: setting.secret({ env: ["PASS", "PASS_FILE"], about }) }),
      "PASS (pass) and PASS_FILE (pass) cannot both be settings: PASS_FILE would also name a file to read PASS from",
    ],
    [
      "a variable is used twice",
      () =>
        declareSettings({ a: setting.text({ env: ["X"], about }), b: setting.text({ env: ["X"], about }) }),
      "$X is declared twice: by a and by b",
    ],
    [
      "a flag is used twice",
      () => declareSettings({ one: setting.text({ about }), two: setting.text({ flag: "--one", about }) }),
      "--one is declared twice: by one and by two",
    ],
    [
      "a flag turns off another setting's toggle",
      () =>
        declareSettings({
          color: setting.toggle({ about }),
          off: setting.text({ flag: "--no-color", about }),
        }),
      "--no-color is declared twice: by color and by off",
    ],
    [
      "a flag belongs to every program",
      () => declareSettings({ help: setting.text({ about }) }),
      "--help is declared twice: by every program and by help",
    ],
    [
      "a key is used twice",
      () =>
        declareSettings({
          a: setting.text({ key: "x.y", about }),
          b: setting.text({ key: ["b", "x.y"], about }),
        }),
      "key x.y is declared twice: by a and by b",
    ],
    [
      "a key is also a section",
      () =>
        declareSettings({
          a: setting.text({ key: "rules", about }),
          b: setting.text({ key: "rules.file", about }),
        }),
      "key rules is also the section of key rules.file",
    ],
    [
      "a default is not valid",
      () => declareSettings({ wait: setting.duration({ unit: "s", min: "1s", default: "10ms", about }) }),
      "the default of wait is less than 1s",
    ],
    [
      "a default cannot be read",
      () => declareSettings({ wait: setting.duration({ unit: "s", default: "soon", about }) }),
      "the default of wait is not a duration",
    ],
    [
      "a variable has an impossible name",
      () => declareSettings({ wait: setting.text({ env: ["MY-VAR"], about }) }),
      "MY-VAR of wait cannot be a variable",
    ],
  ])("refuses a declaration in which %s", (_, declare, message) => {
    expect(declare).toThrow(DeclarationError);
    expect(declare).toThrow(message);
  });

  test("refuses a setting that collides with the names of the config file", async () => {
    for (const clash of [
      setting.path({ env: ["CONFIG_FILE"], about }),
      setting.text({ env: ["CONFIG"], about }),
    ]) {
      const settings = declareSettings({ clash });
      const program = { name: "app", version: "1", about, settings };
      await expect(readCommandLine(program, { argv: [], env: {} })).rejects.toThrow(DeclarationError);
    }
  });

  test("gives each value its type", () => {
    const settings = declareSettings({
      text: setting.text({ about }),
      textWithDefault: setting.text({ default: "", about }),
      requiredText: setting.text({ required: true, about }),
      secret: setting.secret({ about }),
      toggle: setting.toggle({ default: false, about }),
      integer: setting.integer({ default: 1, about }),
      duration: setting.duration({ unit: "s", default: "10s", about }),
      size: setting.size({ unit: "GB", about }),
      url: setting.url({ required: true, about }),
      address: setting.address({ default: ":80", about }),
      choice: setting.choice({ values: ["keep", "park"], default: "keep", about }),
      choiceOrNot: setting.choice({ values: ["keep", "park"], about }),
      logLevel: setting.logLevel({ default: "info", about }),
      list: setting.list({ about }),
    });
    expectTypeOf<ConfigOf<typeof settings>>().toEqualTypeOf<{
      readonly text: string | undefined;
      readonly textWithDefault: string;
      readonly requiredText: string;
      readonly secret: Secret | undefined;
      readonly toggle: boolean;
      readonly integer: number;
      readonly duration: number;
      readonly size: number | undefined;
      readonly url: string;
      readonly address: Address;
      readonly choice: "keep" | "park";
      readonly choiceOrNot: "keep" | "park" | undefined;
      readonly logLevel: LogLevel;
      readonly list: readonly string[] | undefined;
    }>();
  });

  test("lets no slip through the compiler", () => {
    // @ts-expect-error -- an option that does not exist
    expect(setting.text({ about, defualt: "x" })).toBeDefined();
    // @ts-expect-error -- a default that is none of the values
    expect(setting.choice({ about, values: ["keep", "park"], default: "drop" })).toBeDefined();
    // @ts-expect-error -- a setting that is required needs no default
    expect(setting.text({ about, required: true, default: "x" })).toBeDefined();
    // @ts-expect-error -- empty is no number
    expect(setting.integer({ about, emptyIs: "value" })).toBeDefined();
    // @ts-expect-error -- a flag has dashes
    expect(setting.text({ about, flag: "x" })).toBeDefined();
  });
});
