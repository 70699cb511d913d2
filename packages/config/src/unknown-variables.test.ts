import { describe, expect, test } from "vitest";
import { programOf } from "./program-under-test.ts";
import { setting } from "./setting.ts";

const program = programOf({
  qbitUser: setting.text({ env: ["QBIT_USER"], about: "Who." }),
  qbitPass: setting.secret({ env: ["QBIT_PASS", "QBITTORRENT_PASS"], about: "Password." }),
  portFile: setting.path({ env: ["PORT_FILE"], about: "File." }),
  token: setting.secret({ env: ["APP_TOKEN"], about: "Token." }),
});
const warningsOf = async (env: Record<string, string>) => (await program.run({ env })).warnings;

describe("a variable that means nothing, and looks like one that does", () => {
  test.each([
    ["a slip of the keyboard", "APP_TOKN", "APP_TOKEN"],
    ["two letters swapped", "PROT_FILE", "PORT_FILE"],
    ["a longer word", "QBIT_PASSWORD", "QBIT_PASS"],
    ["a longer word, the file of it", "QBIT_PASSWORD_FILE", "QBIT_PASS_FILE"],
    ["a shorter word", "QBITTORRENT_PAS", "QBITTORRENT_PASS"],
    ["a word cut short", "PORT_FIL", "PORT_FILE"],
    ["another word", "QBIT_PASS_PHRASE", undefined],
    ["nothing like it", "QBITTORRENT_PW", undefined],
    ["another case", "qbit_user", "QBIT_USER"],
  ])("%s: %s", async (_, given, meant) => {
    const expected = meant === undefined ? [] : [`${given} is no setting of app; did you mean ${meant}?`];
    expect(await warningsOf({ [given]: "hunter2" })).toEqual(expected);
  });

  test("--print-config tells it, beside what is in force", async () => {
    const { code, stderr } = await program.exit({
      argv: ["--print-config"],
      env: { QBIT_USERNAME: "admin" },
    });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "warning: QBIT_USERNAME is no setting of app; did you mean QBIT_USER?\n",
    });
  });

  test.each([
    ["the right one is set as well: it may be another container's", { QBIT_PASS: "a", QBIT_PASSWORD: "a" }],
    ["so is another name of it", { QBITTORRENT_PASS: "a", QBIT_PASSWORD: "a" }],
    ["it is empty", { QBIT_PASSWORD: "" }],
    [
      "Kubernetes sets it for a Service",
      { APP_TOKEN_PORT: "tcp://10.0.0.1:80", PORT_FILE_SERVICE_HOST: "x" },
    ],
    [
      "the machine's own",
      { PATH: "/bin", HOME: "/root", HOSTNAME: "a", USER: "root", PWD: "/", TERM: "xterm" },
    ],
    ["a file holds the value", { APP_TOKEN_FILE: "/run/token" }],
  ])("nothing is said where %s", async (_, env) => {
    const { warnings } = await program.run({ env, files: { "/run/token": "abc" } });
    expect(warnings).toEqual([]);
  });
});
