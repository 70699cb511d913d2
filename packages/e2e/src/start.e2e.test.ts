import { waitFor } from "@qbit-sidecars/testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 300_000 });

const start = fileURLToPath(new URL("start.ts", import.meta.url));

/** `npm start` as a terminal would run it, and what it has printed so far. */
function runStart() {
  const child = spawn(process.execPath, [start], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  return {
    child,
    ended: once(child, "exit"),
    printed: () => printed,
    prints: (text: string) =>
      waitFor(() => printed.includes(text), { what: `npm start printing "${text}"`, timeoutMs: 240_000 }),
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}

test("npm start stays up after its stories, and Ctrl-C ends it all", async () => {
  using demo = runStart();
  await demo.prints("Ctrl-C ends it all");
  const status = /http:\/\/\S+\/status/u.exec(demo.printed())?.[0] ?? "";
  expect((await fetch(status)).status).toBe(200);
  demo.child.kill("SIGINT");
  expect(await demo.ended).toEqual([0, null]);
  await expect(fetch(status)).rejects.toThrow("fetch failed");
});

test("Ctrl-C in the middle of a story does not wait for its end", async () => {
  using demo = runStart();
  await demo.prints("forwards port");
  demo.child.kill("SIGINT");
  const pressedAt = performance.now();
  expect(await demo.ended).toEqual([0, null]);
  // A story waits up to 30 s for what will not come any more.
  expect(performance.now() - pressedAt).toBeLessThan(20_000);
});
