import { processAlive, tempDir, waitFor } from "@qbit-sidecars/testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 300_000 });

const start = fileURLToPath(new URL("start.ts", import.meta.url));

/** `npm start` as a terminal would run it, and what it has printed so far. */
function runStart(args: readonly string[] = [], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [start, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
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

test("npm start tells a torrent's life and stays up after it, and Ctrl-C ends it all and leaves nothing", async () => {
  using demo = runStart(["--life"]);
  await demo.prints("Ctrl-C ends it all");
  // What an app says of the end of the story comes by a way of its own.
  await demo.prints("Debian 13.iso seeds at the destination and is removed here");
  const said = demo.printed();
  for (const [who, what] of [
    ["port-sync", "the port is"],
    ["pia-forwarder", "PIA forwards port"],
    ["rules", "Distributions, because"],
    ["the phone", "♪ Download Complete"],
    ["home", "has all of Debian 13.iso"],
    ["qBittorrent", "has nothing of Debian 13.iso any more"],
    ["home", "seeds Debian 13.iso"],
  ] as const) {
    expect(said).toMatch(new RegExp(`\\s${who}\\s.*${what}`, "u"));
  }
  // It is handed over once, and counted and told once, though qBittorrent's list is late.
  expect(said.match(/Debian 13\.iso seeds at the destination and is removed here/gu)).toHaveLength(1);
  const status = /http:\/\/\S+\/status/u.exec(said)?.[0] ?? "";
  const folder = dirname(dirname(/> (\S+forwarded_port)/u.exec(said)?.[1] ?? ""));
  expect((await fetch(status)).status).toBe(200);
  expect(existsSync(folder)).toBe(true);
  demo.child.kill("SIGINT");
  expect(await demo.ended).toEqual([0, null]);
  await expect(fetch(status)).rejects.toThrow("fetch failed");
  expect(existsSync(folder)).toBe(false);
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

test.skipIf(process.platform !== "linux")(
  "killed (kill -9), it takes its apps and servers along",
  async () => {
    // What it wrote stays: nobody is there to delete it.
    await using folder = await tempDir();
    using demo = runStart([], { TMPDIR: folder.path });
    await demo.prints("forwards port");
    const started = await childrenOf(demo.child.pid ?? 0);
    // Three qBittorrents, ntfy, Redis, seven apps.
    expect(started.length).toBeGreaterThanOrEqual(12);
    demo.child.kill("SIGKILL");
    await demo.ended;
    await waitFor(() => started.every((pid) => !processAlive(pid)), { what: "all of them to end" });
  },
);

/** What the process has started, as proc_pid_task_children(5) has it. */
async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = tasks.map(async (task) => await readFile(`/proc/${pid}/task/${task}/children`, "utf8"));
  return (await Promise.all(lists)).flatMap((list) => list.split(" ").filter(Boolean).map(Number));
}
