import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { tempDir, waitFor } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";

const packageDir = new URL("../", import.meta.url);

/** Runs the first example of the README as it stands there. */
async function runExample(env: Record<string, string>) {
  const readme = await readFile(new URL("README.md", packageDir), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-"], {
    cwd: fileURLToPath(packageDir),
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stdin.end(example);
  const exited = once(child, "close");
  return {
    url: () =>
      waitFor(() => /health and metrics on (http[^"]+)/.exec(output)?.[1], { what: "the health listener" }),
    async stop() {
      child.kill("SIGTERM");
      await exited;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

test("the example keeps its file, answers its probes and stops cleanly", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "motd.txt");
  await using motd = await runExample({ MOTD_PATH: path, MOTD_TEXT: "Hello", HEALTH_ADDR: "127.0.0.1:0" });
  const url = await motd.url();
  const read = () => readFile(path, "utf8").catch(() => "");
  await expect.poll(read).toBe("Hello");
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  await writeFile(path, "somebody was here");
  expect((await fetch(`${url}/look`, { method: "POST" })).status).toBe(202);
  await expect.poll(read).toBe("Hello");
  // The file is there a moment before its write is counted.
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  await expect.poll(metrics).toContain("motd_writes_total 2");
  expect(await motd.stop()).toBe(0);
});
