import { startFakeNtfy } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { cut, Ntfy } from "./ntfy.ts";
import type { Notice } from "./outbox.ts";

const { signal } = new AbortController();
const notice: Notice = {
  kind: "complete",
  topic: "t",
  sequence: "s",
  title: "T",
  message: "M",
  tags: ["x"],
  priority: 4,
};
const open = (server: string) => new Ntfy({ server, token: "tk_s3cret", timeoutMs: 300 });

test("names with any characters arrive as they are, however long, cut on a character", async () => {
  await using fake = await startFakeNtfy();
  const title = '日本語 🎬 Größe \u0000 \ud800 "quoted" =?UTF-8?B?eA==?=';
  await open(fake.url).send({ ...notice, title, message: "🎬".repeat(5000) }, signal);
  const [message] = fake.messages("t");
  expect(message?.title).toBe(title.toWellFormed());
  expect(Buffer.byteLength(message?.message ?? "")).toBeLessThanOrEqual(3500);
  expect(message?.message?.endsWith("🎬…")).toBe(true);
});

test("text is cut by bytes, never within a character", () => {
  expect(cut("äöü", 6)).toBe("äöü");
  expect(cut("äöü", 5)).toBe("ä…");
  expect(cut("x".repeat(10), 9)).toBe(`${"x".repeat(6)}…`);
});

test("whether a server updates in place is learnt from its first answer", async () => {
  for (const [version, knows] of [
    ["2.27.0", true],
    ["2.11.0", false],
  ] as const) {
    await using fake = await startFakeNtfy({ version });
    const ntfy = open(fake.url);
    expect(ntfy.knowsSequences).toBeUndefined();
    await ntfy.send(notice, signal);
    expect(ntfy.knowsSequences).toBe(knows);
    await ntfy.send({ kind: "clear", topic: "t", sequence: "s" }, signal);
    expect(fake.messages("t")).toHaveLength(knows ? 2 : 1);
  }
});

test("a card cannot be taken away on an old server, which is no error", async () => {
  await using fake = await startFakeNtfy({ version: "2.11.0" });
  const ntfy = open(fake.url);
  await expect(ntfy.send({ kind: "clear", topic: "t", sequence: "s" }, signal)).resolves.toBeUndefined();
  expect(ntfy.knowsSequences).toBe(false);
});

const said = (code: number, http: number) => JSON.stringify({ code, http, error: "words of ntfy" });

describe("what goes wrong has a name, and no secret in it", () => {
  test.each([
    [401, said(40_101, 401), "NtfyAuthError"],
    [403, said(40_301, 403), "NtfyAuthError"],
    [400, said(40_018, 400), "NtfyRefusedError"],
    [413, "<html>too large</html>", "NtfyRefusedError"],
    [400, "<html>a proxy</html>", "NtfyResponseError"],
    [404, "<html>a proxy</html>", "NtfyResponseError"],
    [429, said(42_901, 429), "NtfyLimitError"],
    [429, said(42_908, 429), "NtfyLimitError"],
    [500, said(50_001, 500), "NtfyResponseError"],
    [502, "<html>bad gateway</html>", "NtfyResponseError"],
    [301, "", "NtfyResponseError"],
    [200, "<html>log in</html>", "NtfyResponseError"],
    [200, "x".repeat(1_000_000), "NtfyResponseError"],
  ])("%i %s is a %s", async (...[status, body, name]) => {
    await using fake = await startFakeNtfy();
    fake.faults.next("publish", { kind: "answer", status, body });
    const error = await open(fake.url)
      .send(notice, signal)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name });
    expect(JSON.stringify(error) + String(error) + String((error as Error).stack)).not.toContain("s3cret");
  });

  test.each(["hang", "reset"] as const)("a server that does %s is unreachable", async (kind) => {
    await using fake = await startFakeNtfy();
    fake.faults.next("publish", { kind });
    await expect(open(fake.url).send(notice, signal)).rejects.toMatchObject({
      name: "NtfyUnreachableError",
      message: expect.stringContaining(`no answer from ${new URL(fake.url).host} (`),
    });
  });

  test("an abort is the abort, and no error of ntfy's", async () => {
    await using fake = await startFakeNtfy();
    fake.faults.next("publish", { kind: "hang" });
    const reason = new Error("stopping");
    const abort = new AbortController();
    const sending = open(fake.url).send(notice, abort.signal);
    abort.abort(reason);
    await expect(sending).rejects.toBe(reason);
  });
});
