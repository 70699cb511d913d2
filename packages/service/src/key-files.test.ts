import { certificateAuthority, FakeClock, tempDir } from "@qbit-sidecars/testing";
import { generateKeyPairSync } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KeyFiles } from "./key-files.ts";
import { SettingFault } from "./setting-fault.ts";
import { memoryLog } from "./test-log.ts";

const authority = certificateAuthority();

async function stage() {
  const dir = await tempDir();
  const clock = new FakeClock(Date.now());
  const { log, lines } = await memoryLog();
  const named = (name: string) => ({ path: join(dir.path, name), setting: `--tls-${name}-file` });
  const files = { ca: named("ca"), cert: named("cert"), key: named("key") };
  const put = async (texts: Partial<Record<"ca" | "cert" | "key", string>>) => {
    for (const [name, text] of Object.entries(texts)) await writeFile(join(dir.path, name), text);
  };
  await put({ ca: authority.cert, ...authority.issue({ names: ["nas"] }) });
  return {
    dir,
    clock,
    lines,
    put,
    /** @param names those that a setting names; default all three */
    open: (names: readonly string[] = ["ca", "cert", "key"]) => {
      const given = (name: "ca" | "cert" | "key") => ({
        ...files[name],
        path: names.includes(name) ? files[name].path : undefined,
      });
      const chosen = { ca: given("ca"), cert: given("cert"), key: given("key") };
      return KeyFiles.open({ files: chosen, log, now: () => clock.now() });
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("a pair that was replaced is used, and one that is replaced by half is not yet", async () => {
  await using staged = await stage();
  const { open, put, clock, lines } = staged;
  const keys = await open();
  const first = await keys.current();
  expect(first.ca).toBe(authority.cert);
  const next = authority.issue({ names: ["nas"] });
  await put({ cert: next.cert });
  await clock.advance(1100);
  expect(await keys.current()).toBe(first);
  await clock.advance(1100);
  expect(await keys.current()).toBe(first);
  expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  expect(lines.at(-1)?.msg).toMatch(/--tls-key-file .* is not the key of --tls-cert-file .*; what was there/);
  await put({ key: next.key });
  await clock.advance(1100);
  expect(await keys.current()).toMatchObject(next);
});

test("a file that went away leaves what was in use", async () => {
  await using staged = await stage();
  const { open, dir, clock, lines } = staged;
  const keys = await open();
  await rm(join(dir.path, "cert"));
  await clock.advance(1100);
  expect(await keys.current()).toBe(keys.material);
  expect(lines.at(-1)?.msg).toContain("does not exist");
});

test("an authority alone is enough, and another one is used once it is there", async () => {
  await using staged = await stage();
  const { open, put, clock, lines } = staged;
  const keys = await open(["ca"]);
  expect(keys.material).toEqual({
    ca: authority.cert,
    cert: undefined,
    key: undefined,
    expiresAt: undefined,
  });
  const other = certificateAuthority("another").cert;
  await put({ ca: other });
  await clock.advance(1100);
  expect((await keys.current()).ca).toBe(other);
  expect(lines.at(-1)?.msg).toMatch(/\/ca was replaced and is used from now on$/u);
});

test("a certificate that is out of date is used, and warned of", async () => {
  await using staged = await stage();
  const { open, put, lines } = staged;
  const validUntil = new Date(Date.now() - 60_000);
  await put(authority.issue({ names: ["nas"], validUntil }));
  const keys = await open();
  expect(Math.abs(Number(keys.material.expiresAt) - Number(validUntil))).toBeLessThan(1000);
  expect(lines.at(-1)?.msg).toMatch(/--tls-cert-file .* went out of date on .*: renew it/);
});

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

test.each([
  ["no certificate", { cert: "hello" }, "--tls-cert-file (", "holds no certificate in PEM form"],
  ["no key", { key: "hello" }, "--tls-key-file (", "holds no private key in PEM form"],
  ["no authority", { ca: "" }, "--tls-ca-file (", "holds no certificate in PEM form"],
  [
    "another's key",
    { key: privateKey.export({ type: "pkcs8", format: "pem" }) },
    "--tls-key-file (",
    "is not the key of --tls-cert-file",
  ],
  [
    "a key with a passphrase",
    { key: privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }) },
    "--tls-key-file (",
    "holds a key that needs a passphrase",
  ],
] as const)("a file with %s is a fault of its setting", async (...[, texts, setting, words]) => {
  await using staged = await stage();
  const { open, put } = staged;
  await put(texts);
  const fault = await open().catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(SettingFault);
  expect(String(fault)).toContain(setting);
  expect(String(fault)).toContain(words);
});
