import { expect, test } from "vitest";
import { chooseAuth, sameAuth } from "./auth.ts";

test.each([
  [
    { apiKey: "qbt_1", username: "me", password: "s3same" },
    { kind: "apiKey", apiKey: "qbt_1" },
  ],
  [
    { apiKey: "", username: "me", password: "s3same" },
    { kind: "password", username: "me", password: "s3same" },
  ],
  [{ password: "s3same" }, { kind: "password", username: "admin", password: "s3same" }],
  [{ username: "me", password: "" }, { kind: "none" }],
  [{}, { kind: "none" }],
])("a key wins over a password, and without either nobody logs in: %o", (settings, auth) => {
  expect(chooseAuth(settings)).toEqual(auth);
});

test("a login is another one when anything of it changed", () => {
  const password = (username: string, word: string) => chooseAuth({ username, password: word });
  expect(sameAuth(password("me", "a"), password("me", "a"))).toBe(true);
  expect(sameAuth(password("me", "a"), password("me", "b"))).toBe(false);
  expect(sameAuth(password("me", "a"), password("you", "a"))).toBe(false);
  expect(sameAuth(chooseAuth({ apiKey: "a" }), chooseAuth({ apiKey: "b" }))).toBe(false);
  expect(sameAuth(chooseAuth({ apiKey: "a" }), password("me", "a"))).toBe(false);
  expect(sameAuth(chooseAuth({}), chooseAuth({}))).toBe(true);
});
