import { expect, test } from "vitest";
import { tellAll, type Telling } from "./tell-stories.ts";
import { Terminal } from "./terminal.ts";

/** A telling, and what it printed. */
function telling(): Telling & { printed: string[]; stop: AbortController } {
  const printed: string[] = [];
  const stop = new AbortController();
  const terminal = new Terminal({ write: (text) => printed.push(text) });
  return { terminal, signal: stop.signal, pauseMs: 0, printed, stop };
}

const fine = { title: "fine", play: async () => {} };
const wrong = { title: "wrong", play: () => Promise.reject(new Error("the port was not set")) };

test("stories that all come true are true", async () => {
  expect(await tellAll([fine, fine], telling())).toBe("true");
});

test("one that does not is told with its reason, and none is told after it", async () => {
  const one = telling();
  expect(await tellAll([fine, wrong, { ...fine, title: "never" }], one)).toBe("untrue");
  expect(one.printed.join("")).toContain("the port was not set");
  expect(one.printed.join("")).not.toContain("never");
});

test("who has had enough does not wait for what a story waits for", async () => {
  const one = telling();
  const told = tellAll([{ title: "endless", play: () => new Promise(() => {}) }], one);
  one.stop.abort();
  expect(await told).toBe("stopped");
});
