import { expect, test } from "vitest";
import { SecretWatch } from "./secret-watch.ts";

const secrets = { password: "correct horse/battery+staple", token: "tk_0123456789abcdef" };

test.each([
  ["as it is", "logged in with correct horse/battery+staple"],
  ["in a URL", "http://admin:correct%20horse%2Fbattery%2Bstaple@localhost"],
  ["in JSON", JSON.stringify({ pass: secrets.password })],
  ["in a header", `Basic ${Buffer.from(`admin:${secrets.password}`).toString("base64")}`],
  ["in a header of another user", `Basic ${Buffer.from(`bob:${secrets.password}`).toString("base64")}`],
  ["in a header of a third", `Basic ${Buffer.from(`alice:${secrets.password}`).toString("base64")}`],
])("a secret is found %s", (_, text) => {
  const watch = new SecretWatch(secrets);
  watch.look("log of app", `before ${text} after`);
  expect(watch.findings).toEqual(["password in log of app"]);
});

test("a secret cut in two by a pipe is found", () => {
  const watch = new SecretWatch(secrets);
  watch.look("log of app", "token tk_01234");
  watch.look("log of app", "56789abcdef");
  expect(watch.findings).toEqual(["token in log of app"]);
});

test("what holds none is counted, and nothing is found", () => {
  const watch = new SecretWatch({ ...secrets, unset: "" });
  watch.look("metrics of app", "up 1");
  expect([watch.findings, watch.looked]).toEqual([[], { "metrics of app": 4 }]);
});

test("a secret that was given out meanwhile is looked for from then on", () => {
  const watch = new SecretWatch({});
  watch.lookFor("ticket", "a ticket of today");
  watch.look("log of app", "holds a ticket of today");
  expect(watch.findings).toEqual(["ticket in log of app"]);
});
