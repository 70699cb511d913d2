import { expect, test } from "vitest";
import { FreeSpace } from "./free-space.ts";

test("too little is believed when it was read twice, apart in time", () => {
  const space = new FreeSpace({ minBytes: 50, apartMs: 30_000 });
  expect(space.read(49, 0)).toBe("unsure");
  expect(space.read(0, 29_999)).toBe("unsure");
  expect(space.read(49, 30_000)).toBe("short");
});

test("one reading with room begins anew, as does a removal", () => {
  const space = new FreeSpace({ minBytes: 50, apartMs: 30_000 });
  space.read(0, 0);
  expect(space.read(50, 10_000)).toBe("room");
  expect(space.read(0, 31_000)).toBe("unsure");
  expect(space.read(0, 61_000)).toBe("short");
  space.reset();
  expect(space.read(0, 62_000)).toBe("unsure");
});
