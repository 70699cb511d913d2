import { format, inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Secret } from "./secret.ts";

describe("Secret", () => {
  const secret = new Secret("hunter2");

  test("gives its value only to who asks for it", () => {
    expect(secret.reveal()).toBe("hunter2");
  });

  test.each([
    ["a template", `password: ${String(secret)}`],
    ["a joined array", ["password: ", secret].join("")],
    ["JSON", JSON.stringify({ pass: secret })],
    ["util.inspect", inspect({ nested: { pass: secret } }, { showHidden: true, depth: 9 })],
    ["util.format", format("%s %o %j %O", secret, secret, secret, secret)],
    ["an error", String(new Error(`no login with ${String(secret)}`, { cause: secret }))],
    ["a copy of its keys", JSON.stringify(Object.assign({}, secret))],
  ])("stays hidden in %s", (_, printed) => {
    expect(printed).not.toContain("hunter2");
  });

  test("that came from nowhere else stays what it is", async () => {
    expect(await secret.current()).toBe("hunter2");
  });

  test("prints as three stars", () => {
    expect(JSON.stringify({ pass: secret })).toBe('{"pass":"***"}');
    expect(inspect(secret)).toBe("***");
  });
});
