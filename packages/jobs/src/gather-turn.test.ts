import { expect, test } from "vitest";
import { gatherTurn } from "./gather-turn.ts";

test("what is asked in one turn is answered by one call, each with its own answer", async () => {
  const calls: (readonly number[])[] = [];
  const double = gatherTurn((asked: readonly number[]) => {
    calls.push(asked);
    return asked.map((n) => 2 * n);
  });
  await expect(Promise.all([double(1), double(2), double(3)])).resolves.toEqual([2, 4, 6]);
  await expect(double(4)).resolves.toBe(8);
  expect(calls).toEqual([[1, 2, 3], [4]]);
});

test("when the one call fails, all of its askers are told, and the next turn is served", async () => {
  let isFull = true;
  const store = gatherTurn((asked: readonly number[]) => {
    if (isFull) throw new Error("disk full");
    return asked;
  });
  const answers = await Promise.allSettled([store(1), store(2)]);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  isFull = false;
  await expect(store(3)).resolves.toBe(3);
});
