import { QbitClient } from "@qbit-sidecars/qbit-client";
import { runApp } from "@qbit-sidecars/e2e/run-app";
import {
  type FakeNtfy,
  type FakeQbittorrent,
  freePort,
  startFakeNtfy,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { setTimeout as sleep } from "node:timers/promises";
import { median, megabytes, milliseconds, percentile, ratio, type Row } from "./figures.ts";
import { bareNode, memoryOf } from "./memory.ts";

const baseline = { baseline: "", ratio: "" };
const hashOf = (n: number) => n.toString(16).padStart(40, "0");
const downloading = {
  state: "downloading",
  progress: 0,
  amount_left: 1000,
  downloaded: 0,
  dlspeed: 1,
  eta: 60,
};
const done = () => ({
  state: "uploading",
  progress: 1,
  amount_left: 0,
  downloaded: 1000,
  completion_on: Math.floor(Date.now() / 1000),
});

/** What ntfy-sidecar costs qBittorrent, ntfy and the machine, beside what the document's one loop a torrent costs. */
export async function ntfySidecar(): Promise<Row[]> {
  const polls: Row[] = [];
  for (const torrents of [1, 100, 1000]) polls.push(...(await pollCost(torrents)));
  return [...polls, ...(await publishes()), ...(await storm()), ...(await latencies()), ...(await idle())];
}

type Scene = AsyncDisposable & {
  qbittorrent: FakeQbittorrent;
  ntfy: FakeNtfy;
  pid: number;
  post(path: string): Promise<void>;
  tracked(): Promise<number>;
};

async function scene(env: Record<string, string> = {}): Promise<Scene> {
  await using closers = new AsyncDisposableStack();
  const folder = closers.use(await tempDir());
  const qbittorrent = closers.use(await startFakeQbittorrent());
  const ntfy = closers.use(await startFakeNtfy());
  const hooks = `127.0.0.1:${await freePort()}`;
  const health = `127.0.0.1:${await freePort()}`;
  const app = closers.use(
    runApp("ntfy-sidecar", {
      nodeArgs: ["--lite-mode"],
      env: {
        QBIT_HOST: qbittorrent.url,
        NTFY_TOPIC: `${ntfy.url}/downloads`,
        LISTEN_ADDR: hooks,
        HEALTH_ADDR: health,
        STATE_DIR: folder.path,
        ...env,
      },
    }),
  );
  await waitFor(() => qbittorrent.calls.count("sync/maindata") > 0, {
    what: "the first look",
    timeoutMs: 20_000,
  });
  const resources = closers.move();
  return {
    qbittorrent,
    ntfy,
    pid: app.pid,
    async post(path) {
      await (await fetch(`http://${hooks}${path}`, { method: "POST" })).text();
    },
    async tracked() {
      const status = await (await fetch(`http://${health}/status`)).json();
      return (status as { tracked: unknown[] }).tracked.length;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function pollCost(torrents: number): Promise<Row[]> {
  await using at = await scene({ POLL_INTERVAL: "1s", NOTIFY_PROGRESS: "false" });
  await track(at, torrents);
  // Another session that asks as often sees the same changes.
  using beside = new QbitClient({ url: at.qbittorrent.url });
  let bytes = 0;
  let rid = 0;
  const ask = async () => {
    const { body } = await beside.raw({ path: "sync/maindata", params: { rid } });
    ({ rid } = JSON.parse(body.toString()) as { rid: number });
    return body.length;
  };
  await ask();
  const polls = 10;
  let made = 0;
  for (let poll = 0; poll < polls; poll += 1) {
    // As downloads do: every torrent has another speed and less left at each poll.
    for (let n = 0; n < torrents; n += 1)
      at.qbittorrent.updateTorrent(hashOf(n), {
        dlspeed: poll * 1000 + n,
        amount_left: 1000 - poll,
        eta: 60 - poll,
      });
    bytes += await ask();
    const seen = at.qbittorrent.calls.count();
    await waitFor(() => at.qbittorrent.calls.count() > seen, { what: "a poll" });
    made += at.qbittorrent.calls.count() - seen;
  }
  const kilobytes = bytes / polls / 1000;
  return [
    {
      figure: `ntfy-sidecar: questions to qBittorrent each poll, ${torrents} tracked and moving`,
      value: `${(made / polls).toFixed(0)} (${kilobytes.toFixed(1)} kB)`,
      baseline: `${torrents} of one loop a torrent (about ${(torrents * 1.4).toFixed(1)} kB)`,
      ratio: ratio(made / polls, torrents),
      aim: "1",
    },
  ];
}

async function publishes(): Promise<Row[]> {
  await using at = await scene({ POLL_INTERVAL: "1s", PROGRESS_INTERVAL: "0" });
  await track(at, 1);
  for (let percent = 1; percent < 100; percent += 9) {
    at.qbittorrent.updateTorrent(hashOf(0), { progress: percent / 100 });
    const seen = at.qbittorrent.calls.count();
    await waitFor(() => at.qbittorrent.calls.count() > seen + 1, { what: "a poll" });
  }
  at.qbittorrent.updateTorrent(hashOf(0), done());
  await waitFor(() => at.ntfy.messages().some(({ event }) => event === "message_delete"), {
    what: "the end",
  });
  const sent = at.ntfy.calls.length;
  return [
    {
      figure: "ntfy-sidecar: requests to ntfy for one torrent from 0 to 100 %",
      value: String(sent),
      baseline: "102 at each percent",
      ratio: ratio(sent, 102),
      aim: "≤ 6",
    },
  ];
}

async function storm(): Promise<Row[]> {
  await using at = await scene({ POLL_INTERVAL: "5s", NOTIFY_ADDED: "true" });
  const startedAt = performance.now();
  for (let n = 0; n < 1000; n += 1) {
    at.qbittorrent.addTorrent({ hash: hashOf(n), fields: downloading });
    await at.post(`/track?hash=${hashOf(n)}`);
    await sleep(Math.max(0, n * 60 - (performance.now() - startedAt)));
  }
  await sleep(15_000);
  const refused = at.ntfy.calls.filter(({ status }) => status === 429).length;
  return [
    {
      figure: "ntfy-sidecar: requests to ntfy while 1,000 torrents are added in a minute",
      value: `${at.ntfy.calls.length} (${refused} refused)`,
      baseline: "1,000 and more of one for each, of which the bucket takes 72",
      ratio: ratio(at.ntfy.calls.length, 1000),
      aim: "0 refused",
    },
  ];
}

async function latencies(): Promise<Row[]> {
  const measure = async (env: Record<string, string>, hook: boolean) => {
    await using at = await scene({ NOTIFY_PROGRESS: "false", NTFY_REFILL: "0", ...env });
    const taken: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      at.qbittorrent.addTorrent({ hash: hashOf(n), fields: downloading });
      await at.post(`/track?hash=${hashOf(n)}`);
      await sleep(50 + n * 37);
      const startedAt = performance.now();
      at.qbittorrent.updateTorrent(hashOf(n), done());
      if (hook) void at.post(`/done?hash=${hashOf(n)}`);
      const told = () =>
        at.ntfy.messages().some(({ sequence_id = "" }) => sequence_id.startsWith(`qbit-${hashOf(n)}-done`));
      while (!told()) await sleep(2);
      taken.push(performance.now() - startedAt);
    }
    return taken;
  };
  const byHook = await measure({ POLL_INTERVAL: "5s" }, true);
  const byPoll = await measure({ POLL_INTERVAL: "1s" }, false);
  const row = (how: string, taken: number[], aim: string): Row => ({
    figure: `ntfy-sidecar: complete → ntfy has it, ${how}, p50 and worst of 20`,
    value: `${milliseconds(median(taken))}, ${milliseconds(percentile(taken, 100))}`,
    ...baseline,
    aim,
  });
  return [row("by hook", byHook, "< 1 s"), row("by a poll each 1 s", byPoll, "≤ poll + 100 ms")];
}

async function idle(): Promise<Row[]> {
  await using at = await scene({ POLL_INTERVAL: "1s" });
  using bare = bareNode();
  await track(at, 1000);
  await sleep(30_000);
  const app = await memoryOf(at.pid);
  const node = await memoryOf(bare.process.pid ?? 0);
  const row = (what: string, key: keyof typeof app, aim: string): Row => ({
    figure: `ntfy-sidecar: ${what} memory with 1,000 tracked`,
    value: megabytes(app[key]),
    baseline: `${megabytes(node[key])} bare node`,
    ratio: ratio(app[key], node[key]),
    aim,
  });
  return [row("private", "privateBytes", "≤ 3 × bare"), row("total", "totalBytes", "")];
}

async function track(at: Scene, torrents: number): Promise<void> {
  for (let n = 0; n < torrents; n += 1) {
    at.qbittorrent.addTorrent({ hash: hashOf(n), fields: downloading });
    await at.post(`/track?hash=${hashOf(n)}`);
  }
  await waitFor(async () => (await at.tracked()) === torrents, { what: "all tracked", timeoutMs: 30_000 });
}
