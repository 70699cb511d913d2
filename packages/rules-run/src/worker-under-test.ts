import { type JobQueue, openQueue, type QueueOptions } from "@qbit-sidecars/jobs";
import { QbitClient } from "@qbit-sidecars/qbit-client";
import { ClientQbittorrent, type Outside, type OutsideRequest } from "@qbit-sidecars/rules";
import { createLog, createMetrics, systemClock } from "@qbit-sidecars/service";
import {
  type FakeQbittorrent,
  type FakeQbittorrentOptions,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openAuditLog } from "./audit-log.ts";
import { torrentNames } from "./engine.ts";
import { RulesFile } from "./rules-file.ts";
import { Told } from "./told.ts";
import { startWorker, type WorkerOptions } from "./worker.ts";

type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

export async function memoryLog() {
  const lines: LogLine[] = [];
  const output = { write: (text: string) => void lines.push(JSON.parse(text)) };
  return { lines, log: await createLog({ name: "test", level: "debug", format: "json", output }) };
}

export type WorldOptions = {
  /** As JSON, which is YAML. */
  readonly rules: object;
  readonly fake?: FakeQbittorrentOptions;
  readonly queue?: QueueOptions;
  readonly dryRun?: boolean;
  readonly finishMs?: number;
  readonly timeoutMs?: number;
  readonly patience?: WorkerOptions["patience"];
  readonly lookingOut?: WorkerOptions["lookingOut"];
};

/** A worker between a queue in SQLite, a rules file and a fake qBittorrent. */
export async function world({ rules: text, ...options }: WorldOptions) {
  const closers = new AsyncDisposableStack();
  const dir = closers.use(await tempDir("rules-run-"));
  const fake: FakeQbittorrent = closers.use(await startFakeQbittorrent(options.fake));
  const { log, lines } = await memoryLog();
  const open = async (): Promise<JobQueue> =>
    await openQueue({
      backend: "sqlite",
      path: join(dir.path, "q.db"),
      log,
      notReadyDelaysMs: [20, 30, 40],
      ...options.queue,
    });
  const queue = closers.use(await open());
  const path = join(dir.path, "rules.yml");
  await writeFile(path, JSON.stringify(text));
  const client = closers.use(new QbitClient({ url: fake.url, timeoutMs: options.timeoutMs ?? 5000 }));
  const sent: OutsideRequest[] = [];
  const outside: Outside = {
    async send(request) {
      sent.push(request);
      return { status: 200, body: "" };
    },
    saveFile: async () => {},
  };
  const auditPath = join(dir.path, "audit.jsonl");
  const stopping = new AbortController();
  const metrics = createMetrics({ name: "test", version: "1" });
  const work = {
    queue,
    rules: new RulesFile({ path, log }) as Pick<RulesFile, "current">,
    qbittorrent: new ClientQbittorrent(client),
    names: torrentNames(client),
    outside,
    audit: openAuditLog(auditPath, log),
    told: new Told(auditPath),
    dryRun: options.dryRun ?? false,
    finishMs: options.finishMs ?? 5000,
    isThere: async (signal: AbortSignal) => (await client.probe({ signal })).ok,
    patience: { delaysMs: [20, 30, 40], ...options.patience },
    lookingOut: { everyMs: [20], mostMs: 60_000, ...options.lookingOut },
    clock: systemClock,
    log,
    metrics,
    signal: stopping.signal,
  };
  let worker: ReturnType<typeof startWorker> | undefined;
  closers.defer(async () => {
    stopping.abort();
    await worker?.[Symbol.asyncDispose]();
  });
  return {
    fake,
    queue,
    lines,
    sent,
    work,
    rulesPath: path,
    auditPath,
    metrics,
    start() {
      worker = startWorker(work);
      return worker;
    },
    stop: async () => {
      stopping.abort();
      await worker?.[Symbol.asyncDispose]();
    },
    audit: async (): Promise<Record<string, unknown>[]> =>
      (await readFile(auditPath, "utf8"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    over: async (id: string) =>
      await waitFor(
        async () => {
          const job = await queue.get(id);
          return job?.completedAt === null ? undefined : job;
        },
        { what: `job ${id} to be over`, timeoutMs: 20_000 },
      ),
    [Symbol.asyncDispose]: async () => await closers.disposeAsync(),
  };
}

/** A rule on all torrents whose name begins with "t". */
export function rule(...actions: object[]): object {
  return {
    name: "a rule",
    conditions: [{ field: "info.name", operator: "starts_with", value: "t" }],
    actions,
  };
}

export const tag = { type: "add_tag", params: { tag: "x" } };

/** The hash of torrent `at`. */
export function hashOf(at: number): string {
  return at.toString(16).padStart(40, "0");
}

export function torrents(count: number): { name: string; hash: string }[] {
  return Array.from({ length: count }, (_, at) => ({ name: `t${at}`, hash: hashOf(at) }));
}
