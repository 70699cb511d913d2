import type { Torrent } from "@qbit-sidecars/qbit-client";
import { seededRandom, tempDir } from "@qbit-sidecars/testing";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type AppName, appNames } from "../pod-parts.ts";
import type { WholePod } from "../whole-pod.ts";
import { Ledger } from "./ledger.ts";
import { MemoryWatch } from "./memory.ts";
import { planFaults } from "./plan-faults.ts";
import { type Recovery, runFaults } from "./run-faults.ts";
import { SecretWatch } from "./secret-watch.ts";
import { makeSecrets, startSoakPod } from "./soak-pod.ts";
import type { SoakReport } from "./soak-report.ts";
import { promises, Workload } from "./workload.ts";

export type SoakOptions = {
  minutes: number;
  seed: number;
  /** Folder that the apps' logs are kept in. */
  logs: string | undefined;
};

type Running = { say: (text: string) => void; signal: AbortSignal };

/** How long things that are open may take once nothing is broken any more: some are tried again minutes later. */
const settleMs = 300_000;

/** The whole pod at work while things break. Needs mounts of its own; see `own-mounts.ts`. */
export async function runSoak(options: SoakOptions, { say, signal }: Running): Promise<SoakReport> {
  await using closers = new AsyncDisposableStack();
  const folder = closers.use(await tempDir("qbit-sidecars-soak-"));
  const secrets = makeSecrets();
  // A user name is none, and is shown with the other settings.
  const { piaUsername: _, ...secret } = secrets;
  const watch = new SecretWatch(secret);
  const keep = logKeeper(options.logs);
  const victims = await startSoakPod(folder, {
    closers,
    secrets,
    onText(app, text) {
      watch.look(`log of ${app}`, text);
      keep(app, text);
    },
  });
  const { pod } = victims;
  watch.lookFor("ntfyToken", pod.ntfyToken);
  const random = seededRandom(options.seed + 1);
  const ledger = new Ledger(promises);
  const memory = new MemoryWatch();
  const [noMore, giveUp, over] = [new AbortController(), new AbortController(), new AbortController()];
  const work = new Workload({ pod, ledger, random, log: say }).run(noMore.signal, giveUp.signal);
  const watching = Promise.all([
    everyMs(5000, over.signal, () => lookAtMemory(pod, memory)),
    everyMs(10_000, over.signal, () => lookAtAnswers(pod, watch)),
  ]);
  const startedAt = performance.now();
  let recoveries: Recovery[] = [];
  let brokeOff: string | undefined;
  try {
    recoveries = await runFaults({
      victims,
      plan: planFaults(options.seed),
      forMs: options.minutes * 60_000,
      leastOfEach: options.minutes >= 4 ? 3 : 0,
      log: (text) => say(text),
      signal,
    });
  } catch (error) {
    brokeOff = error instanceof Error ? error.message : String(error);
  }
  if (signal.aborted) brokeOff = "stopped by hand";
  say("no more faults; waiting for what is open");
  noMore.abort();
  const timer = setTimeout(() => giveUp.abort(), signal.aborted ? 0 : settleMs);
  await work;
  clearTimeout(timer);
  await lookAtAnswers(pod, watch);
  if (ledger.open.length > 0) await sayPlan(pod, say);
  giveUp.abort();
  over.abort();
  await watching;
  return {
    seed: options.seed,
    minutes: (performance.now() - startedAt) / 60_000,
    ledger: ledger.lines(),
    open: ledger.open,
    recoveries,
    memory: memory.lines(),
    leaks: watch.findings,
    looked: watch.looked,
    crashes: Object.fromEntries(Array.from(pod.apps, ([name, app]) => [name, app.endedByItself])),
    brokeOff,
  };
}

async function lookAtMemory(pod: WholePod, memory: MemoryWatch): Promise<void> {
  for (const [name, { pid }] of pod.apps) {
    if (pid !== undefined) await memory.look(name, pid, performance.now());
  }
}

/** What anybody who reaches the health listener can read. */
async function lookAtAnswers(pod: WholePod, watch: SecretWatch): Promise<void> {
  const { calls } = pod.pia.gateway;
  // What PIA gave out is as good as a password. The latest will do: a day has thousands.
  for (const name of ["token", "signature"]) {
    const latest = calls.findLast(({ query }) => query[name] !== undefined)?.query[name];
    if (latest !== undefined) watch.lookFor(`piaLatest-${name}`, latest);
  }
  calls.length = 0;
  for (const name of appNames) {
    for (const path of ["metrics", "status", "healthz", "livez", "readyz", "api/health"]) {
      const asking = fetch(`${pod.health[name]}/${path}`, { signal: AbortSignal.timeout(2000) });
      const text = await asking.then(async (answer) => await answer.text()).catch(() => "");
      watch.look(`${path} of ${name}`, text);
    }
  }
}

/** Why torrents are where they are, as qbsync-source tells it to people, and how both qBittorrents show them. */
async function sayPlan(pod: WholePod, say: (text: string) => void): Promise<void> {
  const asking = fetch(`${pod.health["qbsync-source"]}/plan`, { signal: AbortSignal.timeout(5000) });
  say(await asking.then(async (answer) => await answer.text()).catch(String));
  for (const name of ["source", "home"] as const) {
    const torrents = await pod.clients[name].torrents.info().catch((error: unknown) => String(error));
    const shown = typeof torrents === "string" ? torrents : JSON.stringify(torrents.map(shortly));
    say(`qBittorrent ${name}: ${shown}`);
  }
}

const shortly = ({ name, state, progress, seeding_time, time_active, tags }: Torrent) => ({
  name,
  state,
  progress,
  seeding_time,
  time_active,
  tags,
});

async function everyMs(ms: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await act();
    await delay(ms, undefined, { signal }).catch(() => {});
  }
}

/** Synchronously: what an app said last must be there when this process is killed as well. */
function logKeeper(folder: string | undefined): (app: AppName, text: string) => void {
  if (folder === undefined) return () => {};
  mkdirSync(folder, { recursive: true });
  return (app, text) => appendFileSync(join(folder, `${app}.log`), `${text.trimEnd()}\n`);
}
