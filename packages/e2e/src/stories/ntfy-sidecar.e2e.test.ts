import {
  freePort,
  isMissing,
  showOnPhone,
  startFakeNtfy,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { NtfyStage } from "../ntfy-stage.ts";
import { runApp } from "../run-app.ts";
import { ntfySidecarStories } from "./ntfy-sidecar.ts";

describe.skipIf(await isMissing("ntfy"))("ntfy-sidecar's bundle", () => {
  test("every story that `npm start` tells comes true", async () => {
    await using stage = await NtfyStage.set();
    for (const story of ntfySidecarStories) {
      await expect(
        story.play(stage, () => {}),
        story.title,
      ).resolves.toBeUndefined();
    }
  });
});

test("ntfy-sidecar's bundle, killed (kill -9) twelve times while six torrents complete, sounds once for each", async () => {
  await using folder = await tempDir();
  await using qbittorrent = await startFakeQbittorrent();
  await using ntfy = await startFakeNtfy({ burst: 10_000 });
  const env = {
    QBIT_HOST: qbittorrent.url,
    NTFY_TOPIC: `${ntfy.url}/downloads`,
    LISTEN_ADDR: `127.0.0.1:${await freePort()}`,
    HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
    STATE_DIR: folder.path,
    POLL_INTERVAL: "1s",
    PROGRESS_INTERVAL: "0",
  };
  // So that kills fall into requests as well.
  ntfy.faults.set("publish", { kind: "latency", ms: 60 });
  const hashes = Array.from("abcdef", (digit) => digit.repeat(40));
  for (const hash of hashes) {
    const fields = {
      state: "downloading",
      progress: 0.4,
      amount_left: 10,
      downloaded: 5,
      dlspeed: 1,
      eta: 1,
    };
    qbittorrent.addTorrent({ hash, name: `Torrent ${hash[0]}`, fields });
  }
  for (let kill = 0; kill < 12; kill += 1) {
    const app = runApp("ntfy-sidecar", { env });
    await waitFor(() => app.lines.some(({ msg }) => msg.startsWith("hooks are answered")), {
      what: "the start",
    });
    const hash = hashes[kill - 3];
    if (hash !== undefined) {
      const completed = { completion_on: Math.floor(Date.now() / 1000), amount_left: 0, downloaded: 10 };
      qbittorrent.updateTorrent(hash, { state: "uploading", progress: 1, ...completed });
    }
    await delay(kill * 37);
    app.kill("SIGKILL");
    await app.ended;
  }
  await using app = runApp("ntfy-sidecar", { env });
  await waitFor(
    async () => {
      const status = await (await fetch(`http://${env.HEALTH_ADDR}/status`)).text();
      return status.includes('"tracked":[]') && status.includes('"outbox":[]');
    },
    { what: "all told", timeoutMs: 30_000 },
  );
  expect(app.errors).toBe("");
  const { sounds, cards } = showOnPhone(ntfy.messages("downloads"));
  const done = hashes.map((hash) => `Torrent ${hash[0]} has finished downloading.`);
  expect(sounds.map(({ message }) => message).toSorted()).toEqual(done);
  expect(cards.map(({ message }) => message).toSorted()).toEqual(done);
});
