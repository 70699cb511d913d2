import { freePort, startFakeQbittorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { program } from "../program.ts";

async function install(env: Record<string, string>, ...args: string[]) {
  let [out, err] = ["", ""];
  const process = {
    argv: ["node", "main.js", "install-hooks", ...args],
    env: { QBT_RULES_CONFIG_DIR: "/nowhere", ...env },
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    on: () => {},
    exit: () => {},
    exitCode: undefined as number | string | null | undefined,
  };
  await program(process);
  return { code: process.exitCode, out, err };
}

test("a key that cannot stand in a command is refused before anybody is asked", async () => {
  await using fake = await startFakeQbittorrent();
  for (const key of ['two words "and" quotes', "", "50%off"]) {
    const { code, err } = await install({
      QBT_RULES_QBITTORRENT_HOST: fake.url,
      QBT_RULES_CLIENT_API_KEY: key,
    });
    expect(code).toBe(2);
    expect(err).toContain("there is no key that can stand in a command");
    expect(err).not.toContain(key === "" ? "undefined" : key);
  }
  expect(fake.calls.count()).toBe(0);
});

test("a qBittorrent that is away is said to be so, with exit code 3", async () => {
  const { code, err } = await install({
    QBT_RULES_QBITTORRENT_HOST: `http://127.0.0.1:${await freePort()}`,
    QBT_RULES_CLIENT_API_KEY: "a-key-0123456789",
  });
  expect([code, err]).toEqual([3, expect.stringContaining("connection refused")]);
});

test("a qBittorrent without a hook for added torrents gets the other one, and scripts hear of both", async () => {
  await using fake = await startFakeQbittorrent({ version: "4.2.5" });
  const env = { QBT_RULES_QBITTORRENT_HOST: fake.url, QBT_RULES_CLIENT_API_KEY: "a-key-0123456789" };
  const { code, out } = await install(env, "--json", "--dry-run");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    dry_run: true,
    hooks: [
      { context: "added", outcome: "not in this qBittorrent" },
      { context: "finished", outcome: "installed" },
    ],
  });
  expect(fake.calls.count("app/setPreferences")).toBe(0);
});
