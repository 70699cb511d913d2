import { setStage } from "@qbit-sidecars/e2e/stage";
import { tiedToThisProcess } from "@qbit-sidecars/testing";
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { megabytes, ratio, type Row } from "./figures.ts";

const changeEveryMs = 250;

/** Memory of the app after minutes of changes, beside a bare node that has waited as long. Linux only. */
export async function memory(minutes: number): Promise<Row[]> {
  await using stage = await setStage();
  using bare = bareNode();
  const endsAt = performance.now() + minutes * 60_000;
  for (let changes = 0; performance.now() < endsAt; changes += 1) {
    await stage.gluetun.forward(43_000 + (changes % 1000));
    await sleep(changeEveryMs);
  }
  const app = await memoryOf(stage.portSync.pid);
  const node = await memoryOf(bare.process.pid ?? 0);
  const row = (what: string, key: keyof Memory, aim: string): Row => ({
    figure: `port-sync: ${what} memory after ${minutes} min of four changes a second`,
    value: megabytes(app[key]),
    baseline: `${megabytes(node[key])} bare node`,
    ratio: ratio(app[key], node[key]),
    aim,
  });
  return [row("private", "privateBytes", "≤ 3 × bare"), row("total", "totalBytes", "")];
}

type Memory = { privateBytes: number; totalBytes: number };

/** RssAnon is the process's own; the rest of VmRSS is mostly the node binary, shared with every other node. */
export async function memoryOf(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "mu").exec(status)?.[1]);
  return { privateBytes: kibibytes("RssAnon") * 1024, totalBytes: kibibytes("VmRSS") * 1024 };
}

export function bareNode(): Disposable & { process: ChildProcess } {
  const idle = tiedToThisProcess(process.execPath, ["-e", "setInterval(() => {}, 1e9)"]);
  const child = spawn(...idle, { stdio: "ignore" });
  return { process: child, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}
