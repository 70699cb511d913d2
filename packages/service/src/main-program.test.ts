import { expect, test } from "vitest";
import { mainProgram } from "./main-program.ts";

/** Runs an app's main on a made-up process; `loaded` tells whether the app itself was loaded. */
async function run({
  words = [],
  env = {},
  node = "26.10.0",
}: {
  words?: string[];
  env?: Record<string, string>;
  node?: string;
}) {
  let loaded = false;
  let said = "";
  const process = {
    argv: ["node", "main.js", ...words],
    env: { HEALTH_ADDR: "127.0.0.1:1", ...env },
    stdout: { write: () => {} },
    stderr: { write: (text: string) => (said += text) },
    versions: { node },
    exitCode: undefined as number | undefined,
    on: () => {},
    exit: () => {},
  };
  const program = () => {
    loaded = true;
    return Promise.resolve();
  };
  await mainProgram(process, { name: "app", healthAddr: ":9101", load: () => Promise.resolve({ program }) });
  return { loaded, said, code: process.exitCode };
}

test("a Node that is too old is told in one sentence", async () => {
  expect(await run({ node: "20.20.2" })).toEqual({
    loaded: false,
    said: "app needs Node 24 or later; this is 20.20.2\n",
    code: 2,
  });
});

test("a health check is answered without loading the app, and says why the answer is no", async () => {
  const { loaded, said, code } = await run({ words: ["healthcheck"] });
  expect({ loaded, code }).toEqual({ loaded: false, code: 1 });
  expect(said).toMatch(/^app is not healthy: .*ECONNREFUSED/u);
});

test.each([
  { words: ["healthcheck", "--help"] },
  { words: ["healthcheck"], env: { CONFIG_FILE: "/etc/app.yml" } },
  { words: ["healthcheck"], env: { HEALTH_ADDR_FILE: "/run/secrets/addr" } },
  { words: ["healthcheck"], env: { HEALTH_ADDR: " " } },
  { words: ["healthcheck"], env: { HEALTH_ADDR: "tcp://10.0.0.1:9101" } },
  { words: ["--once"] },
  {},
])("the app is loaded for %j", async (given) => {
  expect(await run(given)).toMatchObject({ loaded: true, said: "" });
});
