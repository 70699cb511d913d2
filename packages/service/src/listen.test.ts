import { expect, test } from "vitest";
import { listenError } from "./listen.ts";

test.each([
  ["EADDRINUSE", "another program uses this port"],
  ["EACCES", "ports below 1024 need a privilege that this program does not have"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["EMFILE", "too many open files"],
])("an address that cannot be listened on (%s) is told with its setting and in words", (code, words) => {
  const cause = Object.assign(new Error("too many open files"), { code });
  const error = listenError(cause, { at: "127.0.0.1:80", setting: "HEALTH_ADDR" });
  expect(error.message).toBe(`listening on 127.0.0.1:80 (set by HEALTH_ADDR): ${words}`);
  expect(error.cause).toBe(cause);
});
