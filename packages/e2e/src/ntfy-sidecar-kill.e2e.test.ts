import {
  freePort,
  showOnPhone,
  startFakeNtfy,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { runApp } from "./run-app.ts";

vi.setConfig({ testTimeout: 600_000 });

const rounds = process.env["QBIT_SIDECARS_LONG"] === "1" ? 60 : 2;
const patience = { timeoutMs: 60_000 };
const hashes = ["a", "b", "c"].map((digit) => digit.repeat(40));

/** Three downloads of some two seconds, during which the process is killed at random times and started again at once. */
async function round(): Promise<{ kills: number; screen: ReturnType<typeof showOnPhone> }> {
  await using folder = await tempDir();
  await using qbittorrent = await startFakeQbittorrent();
  await using ntfy = await startFakeNtfy();
  await using closers = new AsyncDisposableStack();
  const health = `127.0.0.1:${await freePort()}`;
  const env = {
    QBIT_HOST: qbittorrent.url,
    NTFY_TOPIC: `${ntfy.url}/downloads`,
    LISTEN_ADDR: `127.0.0.1:${await freePort()}`,
    HEALTH_ADDR: health,
    STATE_DIR: folder.path,
    POLL_INTERVAL: "100ms",
    PROGRESS_INTERVAL: "0",
    DISCOVER: "true",
  };
  const start = () => runApp("ntfy-sidecar", { env, nodeArgs: ["--lite-mode"] });
  let app = start();
  closers.defer(() => app[Symbol.asyncDispose]());
  const fields = { state: "downloading", progress: 0, amount_left: 100, downloaded: 0 };
  for (const hash of hashes) qbittorrent.addTorrent({ hash, name: `n${hash[0]}`, fields });
  const told = async () => {
    const [status, metrics] = await Promise.all(
      ["status", "metrics"].map(async (path) => (await fetch(`http://${health}/${path}`)).text()),
    );
    return {
      hasLooked: /looks_total [1-9]/u.test(metrics ?? ""),
      waiting: (status ?? "").split('"kind":').length - 1,
      tracked: (status ?? "").split('"hash":').length - 1,
    };
  };
  await waitFor(async () => (await told()).tracked === 3, { what: "all three tracked", ...patience });
  let kills = 0;
  const downloads = hashes.map(async (hash) => {
    for (let percent = 0; percent < 100; percent += 10) {
      qbittorrent.updateTorrent(hash, {
        progress: percent / 100,
        amount_left: 100 - percent,
        downloaded: percent,
      });
      await delay(100 + Math.random() * 200);
    }
    qbittorrent.updateTorrent(hash, {
      state: "stalledUP",
      progress: 1,
      amount_left: 0,
      downloaded: 100,
      completion_on: Math.ceil(Date.now() / 1000),
    });
  });
  const over = Promise.all(downloads).then(() => true);
  while (!(await Promise.race([over, delay(200 + Math.random() * 800, false)]))) {
    app.kill("SIGKILL");
    await app.ended;
    kills += 1;
    app = start();
  }
  // Once more while it tells what is complete.
  await delay(Math.random() * 300);
  app.kill("SIGKILL");
  await app.ended;
  app = start();
  const isOver = async () => {
    const { hasLooked, waiting, tracked } = await told();
    return hasLooked && waiting + tracked === 0;
  };
  await waitFor(isOver, { what: "everything told", ...patience });
  return { kills: kills + 1, screen: showOnPhone(ntfy.messages("downloads")) };
}

test(`killed with SIGKILL again and again, each download makes one sound and leaves one card (${rounds} rounds)`, async () => {
  let kills = 0;
  for (let count = 0; count < rounds; count += 1) {
    const ended = await round();
    kills += ended.kills;
    for (const what of ["sounds", "cards"] as const) {
      const told = ended.screen[what].map(({ message }) => message).toSorted();
      expect(told, `${what} of round ${count}`).toEqual(
        ["a", "b", "c"].map((name) => `n${name} has finished downloading.`),
      );
    }
  }
  expect(kills).toBeGreaterThan(rounds * 2);
});
