import { expect, test } from "vitest";
import { PathClaims } from "./path-claims.ts";

const claimsOf = (...passed: object[]) => new PathClaims<object>((holder) => passed.includes(holder));

test("who comes second is told who is in the way, holds nothing, and goes on when that one has let go", () => {
  const [first, second, third] = [{}, {}, {}];
  const claims = claimsOf();
  expect(claims.claim(first, ["a", "b"])).toBeUndefined();
  expect(claims.claim(second, ["c", "b"])).toBe(first);
  expect(claims.claim(third, ["c"])).toBeUndefined();
  claims.release(first);
  expect(claims.claim(second, ["b", "c"])).toBe(third);
  claims.release(third);
  expect(claims.claim(second, ["b", "c"])).toBeUndefined();
});

test("two that exchange their paths do not wait for each other", () => {
  const [one, other] = [{}, {}];
  const claims = claimsOf();
  claims.claim(one, ["a"]);
  claims.claim(other, ["b"]);
  expect(claims.claim(one, ["b"])).toBe(other);
  expect(claims.claim(other, ["a"])).toBeUndefined();
  expect(claims.claim(one, ["b"])).toBeUndefined();
});

test("nobody waits for a torrent of which nothing is to be expected, and its end takes nothing from another", () => {
  const [dead, alive, next] = [{}, {}, {}];
  const claims = claimsOf(dead);
  claims.claim(dead, ["a"]);
  expect(claims.claim(alive, ["a"])).toBeUndefined();
  claims.release(dead);
  expect(claims.claim(next, ["a"])).toBe(alive);
});
