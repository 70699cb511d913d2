import { expect, test } from "vitest";
import { CookieJar } from "./cookie-jar.ts";

test("a jar keeps 16 cookies and drops the oldest for another one", () => {
  const jar = new CookieJar();
  for (let number = 0; number < 1000; number += 1) jar.store([`c${number}=v; path=/`]);
  const names = jar.header()?.split("; ") ?? [];
  expect(names).toHaveLength(16);
  expect([names[0], names.at(-1)]).toEqual(["c984=v", "c999=v"]);
});

test("a cookie that is set again needs no room of its own", () => {
  const jar = new CookieJar();
  jar.store(["SID=first"]);
  for (let number = 0; number < 1000; number += 1) jar.store([`other=${number}`]);
  expect(jar.header()).toBe("SID=first; other=999");
});

test("a cookie larger than 4 KiB is not kept, and leaves the others alone", () => {
  const jar = new CookieJar();
  jar.store(["SID=first", `SID=${"x".repeat(4096)}`, `big=${"x".repeat(4096)}`]);
  expect(jar.header()).toBe("SID=first");
});

test("a cookie that expires or is emptied is dropped", () => {
  const jar = new CookieJar();
  jar.store(["a=1", "b=2", "c=3", "d=4"]);
  jar.store(["a=1; expires=Thu, 01-Jan-1970 00:00:00 GMT", "b=; path=/", "c=3; Max-Age=0", "nonsense"]);
  expect(jar.header()).toBe("d=4");
});
