import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { OneAfterAnother } from "./one-after-another.ts";

test("tasks of one key never overlap, those of another key do not wait, and one that fails holds up none", async () => {
  const tasks = new OneAfterAnother();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = tasks.run("a", async () => {
    order.push("first begins");
    await gate.promise;
    order.push("first fails");
    throw new Error("it failed");
  });
  const second = tasks.run("a", async () => void order.push("second"));
  await tasks.run("b", async () => void order.push("other key"));
  await nextTurn();
  expect(order).toEqual(["first begins", "other key"]);
  gate.resolve();
  await expect(first).rejects.toThrow("it failed");
  await second;
  expect(order).toEqual(["first begins", "other key", "first fails", "second"]);
  expect(await tasks.run("a", async () => 7)).toBe(7);
});
