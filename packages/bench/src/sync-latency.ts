import { applyListenPort, type QbitClient } from "@qbit-sidecars/qbit-client";
import { setStage, type Stage } from "@qbit-sidecars/e2e/stage";
import { setTimeout as sleep } from "node:timers/promises";
import { median, milliseconds, percentile, ratio, type Row } from "./figures.ts";

const changes = 200;
const lookEveryMs = 2;

/** Port file written → qBittorrent answers with the new port, beside setting the port through the API directly. */
export async function syncLatency(): Promise<Row[]> {
  await using stage = await setStage();
  await stage.gluetun.forward(40_000);
  await stage.listensOn(40_000);
  const synced: number[] = [];
  const direct: number[] = [];
  for (let at = 0; at < changes; at += 1) synced.push(await timeSync(stage, 40_001 + at));
  stage.portSync.kill("SIGTERM");
  await stage.portSync.ended;
  for (let at = 0; at < changes; at += 1) direct.push(await timeDirect(stage.client, 41_001 + at));
  const row = (name: string, of: (values: readonly number[]) => number, aim: string): Row => ({
    figure: `port-sync: port file written → qBittorrent answers with it, ${name} of ${changes}`,
    value: milliseconds(of(synced)),
    baseline: `${milliseconds(of(direct))} set and verified through the API`,
    ratio: ratio(of(synced), of(direct)),
    aim,
  });
  return [row("p50", median, ""), row("p99", (values) => percentile(values, 99), "≤ 300 ms")];
}

async function timeSync(stage: Stage, port: number): Promise<number> {
  const startedAt = performance.now();
  await stage.gluetun.forward(port);
  for (;;) {
    const { listen_port: now } = await stage.client.app.preferences();
    if (now === port) return performance.now() - startedAt;
    await sleep(lookEveryMs);
  }
}

async function timeDirect(client: QbitClient, port: number): Promise<number> {
  const startedAt = performance.now();
  await applyListenPort(client, { port });
  return performance.now() - startedAt;
}
