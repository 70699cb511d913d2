import { runApp } from "@qbit-sidecars/e2e/run-app";
import { setStage } from "@qbit-sidecars/e2e/stage";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { median, milliseconds, ratio, type Row } from "./figures.ts";

const starts = 9;

/** Process started → qBittorrent listens on the forwarded port and the process has ended, beside an empty program. */
export async function coldStart(): Promise<Row[]> {
  await using stage = await setStage();
  stage.portSync.kill("SIGTERM");
  await stage.portSync.ended;
  const app: number[] = [];
  const bare: number[] = [];
  for (let at = 0; at < starts; at += 1) {
    await stage.gluetun.forward(42_000 + at);
    app.push(await time(() => syncOnce(stage.qbittorrent.url, stage.gluetun.portFile)));
    bare.push(await time(() => promisify(execFile)(process.execPath, ["-e", ""])));
  }
  return [
    {
      figure: `port-sync: cold start to first sync done (--once), median of ${starts}`,
      value: milliseconds(median(app)),
      baseline: `${milliseconds(median(bare))} bare node, start to end`,
      ratio: ratio(median(app), median(bare)),
      aim: "≤ 250 ms",
    },
  ];
}

async function syncOnce(url: string, portFile: string): Promise<void> {
  const env = { QBIT_ADDR: url, PORT_FILE: portFile, DEBOUNCE: "0" };
  const code = await runApp("port-sync", { args: ["--once"], nodeArgs: ["--lite-mode"], env }).ended;
  if (code !== 0) throw new Error(`port-sync --once ended with ${code}`);
}

async function time(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}
