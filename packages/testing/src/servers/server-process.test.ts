import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { freePort } from "../free-port.ts";
import { processAlive } from "../process-alive.ts";
import { tempDir } from "../temp-dir.ts";
import { waitFor } from "../wait-for.ts";
import { ServerProcess } from "./server-process.ts";

test("serves once started, and again after a stop, with one output for all its lives", async () => {
  await using server = await nodeServer(`console.log("life")`);
  await server.process.start();
  await server.process.restart();
  expect((await fetch(server.url)).ok).toBe(true);
  await waitFor(() => server.process.output() === "life\nlife\n", { what: "both lives' output" });
});

test("that ends while starting is an error with its output", async () => {
  await using server = await nodeServer(`console.error("no such disk"); process.exit(3)`);
  await expect(server.process.start()).rejects.toThrow("starting the server; it printed:\nno such disk");
});

test("whose program is not there is an error that tells so", async () => {
  await using dir = await tempDir();
  await using server = new ServerProcess({
    ...parts(dir.path, "http://127.0.0.1:1"),
    commandLine: { command: join(dir.path, "nothing-here"), args: [], env: {} },
  });
  await expect(server.start()).rejects.toThrow(/nothing-here/);
});

test("can be asked to end while it is frozen, and ends in its own way", async () => {
  await using server = await nodeServer(
    `process.on("SIGTERM", () => { console.log("bye"); process.exit() })`,
  );
  await server.process.start();
  server.process.pause();
  await server.process.stop();
  await waitFor(() => server.process.output() === "bye\n", { what: "its last words" });
});

test("that ignores the request to end is killed after a while", async () => {
  await using server = await nodeServer(`process.on("SIGTERM", () => {})`);
  await server.process.start();
  const { pid } = server.process;
  await server.process.stop();
  expect(processAlive(pid)).toBe(false);
});

test("is gone with its files when disposed, however it is", async () => {
  const server = await nodeServer("");
  await server.process.start();
  const { pid } = server.process;
  server.process.pause();
  await server[Symbol.asyncDispose]();
  expect(processAlive(pid)).toBe(false);
  expect(existsSync(server.dir)).toBe(false);
});

test("does not outlive the process that started it, even when that one is killed", async () => {
  await using dir = await tempDir();
  const starter = join(dir.path, "starter.ts");
  await writeFile(starter, starterSource(dir.path));
  const parent = spawn(process.execPath, [starter], { stdio: ["ignore", "pipe", "inherit"] });
  const [line]: Buffer[] = await once(parent.stdout, "data");
  const pid = Number(String(line));
  expect(processAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await waitFor(() => !processAlive(pid), { what: "the server to end with its starter" });
});

async function nodeServer(before: string) {
  const dir = await tempDir();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const listen = `require("node:http").createServer((_, r) => r.end()).listen(${port}, "127.0.0.1")`;
  const process = new ServerProcess({
    ...parts(dir.path, url),
    commandLine: { command: globalThis.process.execPath, args: ["-e", `${before}\n${listen}`], env: {} },
    cleanUp: async () => await dir[Symbol.asyncDispose](),
    stopMs: 1_000,
  });
  return { url, dir: dir.path, process, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

function parts(cwd: string, url: string) {
  const isReady = async () => (await fetch(url)).ok;
  return { name: "the server", cwd, isReady, cleanUp: async () => {} };
}

function starterSource(cwd: string): string {
  const module = fileURLToPath(new URL("./server-process.ts", import.meta.url));
  return `
    import { ServerProcess } from ${JSON.stringify(module)};
    const server = new ServerProcess({
      name: "sleep",
      commandLine: { command: "/bin/sleep", args: ["60"], env: {} },
      cwd: ${JSON.stringify(cwd)},
      isReady: async () => true,
      cleanUp: async () => {},
    });
    await server.start();
    console.log(server.pid);
  `;
}
