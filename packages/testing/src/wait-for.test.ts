import { describe, expect, test } from "vitest";
import { waitFor } from "./wait-for.ts";

describe("waiting for a condition", () => {
  test("ends with the condition's first truthy answer", async () => {
    const answers = [undefined, 0, "here"];
    expect(await waitFor(() => answers.shift(), { what: "the third answer" })).toBe("here");
  });

  test("goes on when the condition throws", async () => {
    let calls = 0;
    const succeedsLate = () => {
      if (++calls < 3) throw new Error("not yet");
      return calls;
    };
    expect(await waitFor(succeedsLate, { what: "success" })).toBe(3);
  });

  test("gives up saying what it waited for and what it saw last", async () => {
    const giveUp = waitFor(() => false, { what: "the moon", timeoutMs: 20 });
    await expect(giveUp).rejects.toThrow(
      "gave up waiting for the moon after 20 ms; the last answer was false",
    );
  });

  test("gives up with the condition's last error as the cause", async () => {
    const cause = new Error("refused");
    const giveUp = waitFor(() => Promise.reject(cause), { what: "an answer", timeoutMs: 20 });
    await expect(giveUp).rejects.toMatchObject({ cause });
  });

  test("gives up with what it saw last, when the deadline cuts a look off", async () => {
    const looks = [Promise.resolve("no"), new Promise<string>(() => {})];
    const giveUp = waitFor(async () => (await looks.shift()) === "yes", { what: "a yes", timeoutMs: 50 });
    await expect(giveUp).rejects.toThrow("the last answer was false");
  });

  test("gives up on a condition that never answers", async () => {
    const giveUp = waitFor(() => new Promise(() => {}), { what: "silence to end", timeoutMs: 20 });
    await expect(giveUp).rejects.toThrow("the condition did not answer");
  });
});
