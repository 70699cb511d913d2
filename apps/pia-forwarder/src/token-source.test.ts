import { tempDir } from "@qbit-sidecars/testing";
import { execFileSync } from "node:child_process";
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readToken, tokenSource } from "./token-source.ts";

const { signal } = new AbortController();
const value = "0123456789abcdef".repeat(8);
const hourMs = 3_600_000;
const modified = Date.UTC(2026, 10, 20, 12);

describe("a token file", () => {
  test("with the token alone is as old as itself", () => {
    expect(readToken(`${value}\n`, modified)).toEqual({ value, obtainedAtMs: modified, from: "file" });
  });

  test("with the date of its end is a day older than that", () => {
    const endsAt = "Fri Nov 20 22:00:00 2026 UTC";
    expect(readToken(`${value}\n${endsAt}\n`, modified)?.obtainedAtMs).toBe(Date.UTC(2026, 10, 19, 22));
  });

  test.each(["20 novembre, 22h", "01/02/03", "soon"])(
    "with a date that nobody can read is as old as itself: %j",
    (date) => {
      expect(readToken(`${value}\r\n${date}\r\n`, modified)?.obtainedAtMs).toBe(modified);
    },
  );

  test.each(["", "\n", "short", "<html>not a token at all</html> no", "two words of it, both long"])(
    "that holds none is none: %j",
    (text) => {
      expect(readToken(text, modified)).toBeUndefined();
    },
  );
});

describe("where tokens come from", () => {
  async function source({ credentials = true, ageMs = 0, text = value } = {}) {
    const dir = await tempDir();
    const path = join(dir.path, "pia_token");
    await writeFile(path, text);
    await utimes(path, new Date(modified - ageMs), new Date(modified - ageMs));
    const tokens = tokenSource({
      path,
      credentials: credentials ? { username: "p1", password: "x" } : undefined,
      logIn: () => Promise.resolve("from a login"),
      now: () => modified,
    });
    return { tokens, path, dir };
  }

  test.each([
    { from: "a fresh file", options: {}, expected: value },
    { from: "an old file", options: { ageMs: 23.5 * hourMs }, expected: "from a login" },
    { from: "a file whose token PIA refused", options: {}, rejected: value, expected: "from a login" },
    { from: "a file without a token", options: { text: "\n" }, expected: "from a login" },
    {
      from: "an old file and no login",
      options: { ageMs: 240 * hourMs, credentials: false },
      expected: value,
    },
    {
      from: "a file whose token PIA refused and no login",
      options: { credentials: false },
      rejected: value,
      expected: value,
    },
  ])("$from", async ({ options, rejected, expected }) => {
    const { tokens, dir } = await source(options);
    await using _ = dir;
    expect((await tokens.token(rejected, signal)).value).toBe(expected);
  });

  test("a FIFO in the file's place holds nobody up", async () => {
    const { path, dir } = await source();
    await using _ = dir;
    const fifo = `${path}.fifo`;
    execFileSync("mkfifo", [fifo]);
    const tokens = tokenSource({
      path: fifo,
      credentials: undefined,
      logIn: () => Promise.reject(new Error()),
      now: () => 0,
    });
    await expect(tokens.token(undefined, signal)).rejects.toMatchObject({ name: "PiaNoTokenError" });
  });
});
