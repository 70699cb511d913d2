import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  freePort,
  isMissing,
  makeTorrent,
  type MadeTorrent,
  type NtfyVersion,
  qbittorrentVersionsUnderTest,
  readTopic,
  type RunningNtfy,
  type RunningQbittorrent,
  showOnPhone,
  startNtfy,
  startQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { installHooks } from "./install-hooks.ts";
import { runSidecar } from "./sidecar-under-test.ts";

const { signal } = new AbortController();
// Reading a topic again and again counts against the same limit as publishing.
const unlimited = { "visitor-request-limit-burst": 100_000 };

const token = "s3cret of-hooks";

const sizeBytes = 3 * 1024 * 1024;

/** A seeder whose upload is slow enough to be watched, and a qBittorrent that gets the torrent from it. */
async function startSwarm(version: RunningQbittorrent["version"]) {
  await using closers = new AsyncDisposableStack();
  const preferences = { refresh_interval: 200 };
  const seeder = closers.use(await startQbittorrent({ version: "5.3.0", preferences }));
  const qbittorrent = closers.use(await startQbittorrent({ version, preferences }));
  const seeding = closers.use(new QbitClient({ url: seeder.url }));
  const client = closers.use(new QbitClient({ url: qbittorrent.url }));
  const resources = closers.move();
  return {
    qbittorrent,
    client,
    async seed(made: MadeTorrent) {
      await made.write(seeder.savePath);
      await seeding.torrents.add({ files: [made.torrent] });
      await waitFor(
        async () => (await seeding.torrents.info({ hashes: [made.torrentId] }))[0]?.progress === 1,
        {
          what: "the seeder",
        },
      );
      await seeding.torrents.setUploadLimit([made.torrentId], 1024 * 1024);
    },
    /** Two peers on the loopback address do not find each other by themselves. */
    async connect({ torrentId }: MadeTorrent) {
      await client.torrents.addPeers([torrentId], [`127.0.0.1:${seeder.listenPort}`]);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type Swarm = Awaited<ReturnType<typeof startSwarm>>;

async function startSidecar(
  qbittorrent: RunningQbittorrent,
  ntfy: RunningNtfy,
  env: Record<string, string> = {},
) {
  await using closers = new AsyncDisposableStack();
  const folder = closers.use(await tempDir());
  const hooks = `127.0.0.1:${await freePort()}`;
  const health = `127.0.0.1:${await freePort()}`;
  const lines: Parameters<typeof runSidecar>[0]["lines"] = [];
  const stop = runSidecar({
    lines,
    clock: undefined,
    env: {
      QBIT_HOST: qbittorrent.url,
      NTFY_TOPIC: `${ntfy.url}/downloads`,
      LISTEN_ADDR: hooks,
      HOOK_URL: `http://${hooks}`,
      HEALTH_ADDR: health,
      STATE_DIR: folder.path,
      LOG_FORMAT: "json",
      POLL_INTERVAL: "1s",
      PROGRESS_INTERVAL: "0",
      PROGRESS_STEP: "10",
      ...env,
    },
  });
  closers.defer(stop);
  await waitFor(() => lines.some(({ msg }) => msg.startsWith("health and metrics")), { what: "the start" });
  const resources = closers.move();
  return {
    hooks: `http://${hooks}`,
    health: `http://${health}`,
    lines,
    stop,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type Kind = "v1" | "v2" | "hybrid";

/** What a qBittorrent can do before 4.4 (v2 torrents) and 4.5 (a hook for added torrents). */
const isOld = (version: RunningQbittorrent["version"]) => version === "4.2.5";

/** One way of setting the hooks for each kind of torrent. */
const setHooks: Record<Kind, (swarm: Swarm, sidecar: { hooks: string }) => Promise<unknown>> = {
  async v1({ client, qbittorrent }, { hooks }) {
    // As a person copies them out of the README.
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const command = (block: string) =>
      new RegExp(`<!-- ${block}:start -->[^]*?sh\\n *(.*)\\n[^]*<!-- ${block}:end -->`)
        .exec(readme)?.[1]
        ?.replace("http://localhost:9090", hooks);
    await client.app.setPreferences({
      autorun_enabled: true,
      autorun_program: command("hook-finished"),
      ...(isOld(qbittorrent.version)
        ? {}
        : {
            autorun_on_torrent_added_enabled: true,
            autorun_on_torrent_added_program: command("hook-added"),
          }),
    });
  },
  async v2({ client }, { hooks }) {
    const outcomes = await installHooks(client.app, { url: hooks, token }, signal);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["installed", "installed"]);
  },
  async hybrid({ client }) {
    // INSTALL_HOOKS has done it.
    await waitFor(
      async () => String((await client.app.preferences())["autorun_program"]).includes("/done?hash=%I"),
      { what: "the hooks" },
    );
  },
};

const envOf = (kind: Kind, version: RunningQbittorrent["version"]) => ({
  ...(kind === "hybrid" && { INSTALL_HOOKS: "true" }),
  ...(kind === "v2" && { TRACK_TOKEN: token }),
  ...(isOld(version) && { DISCOVER: "true" }),
});

describe
  .skipIf((await isMissing("ntfy")) || (await isMissing("ntfy 2.11.0")))
  .each(qbittorrentVersionsUnderTest())("with qBittorrent %s, its own hooks, and a real ntfy", (version) => {
  const kinds: readonly Kind[] = isOld(version) ? ["v1"] : ["v1", "v2", "hybrid"];

  test.each(kinds)("a %s torrent is one quiet card that becomes one sound", async (kind) => {
    await using swarm = await startSwarm(version);
    await using ntfy = await startNtfy({ config: unlimited });
    await using sidecar = await startSidecar(swarm.qbittorrent, ntfy, envOf(kind, version));
    await setHooks[kind](swarm, sidecar);
    const made = makeTorrent({
      version: kind,
      files: [{ path: `${kind} "Größe" 日本.bin`, size: sizeBytes }],
    });
    await swarm.seed(made);
    await swarm.client.torrents.add({ files: [made.torrent] });
    await waitFor(async () => (await readTopic(ntfy.url, "downloads")).length > 0, {
      what: "a card",
      timeoutMs: 20_000,
    });
    await swarm.connect(made);
    await waitFor(
      async () => (await readTopic(ntfy.url, "downloads")).some(({ event }) => event === "message_delete"),
      { what: "completion and clearing", timeoutMs: 40_000 },
    );
    const messages = await readTopic(ntfy.url, "downloads");
    const { cards, sounds, appeared } = showOnPhone(messages);
    expect(cards.map(({ title, message }) => [title, message])).toEqual([
      ["Download Complete", `${made.name} has finished downloading.`],
    ]);
    expect(sounds).toHaveLength(1);
    expect(appeared).toBe(2);
    expect(messages[0]).toMatchObject({
      title: made.name,
      priority: 2,
      sequence_id: `qbit-${made.torrentId}`,
    });
    expect(messages[0]?.message).toMatch(/^\d+% \[[█░]{10}\]\nSpeed: \d+\.\d MB\/s\nETA: (∞|[\dhms]+)$/u);
  });

  test("data that was there already is not announced, although qBittorrent's finished hook fires", async () => {
    await using swarm = await startSwarm(version);
    await using ntfy = await startNtfy({ config: unlimited });
    await using sidecar = await startSidecar(swarm.qbittorrent, ntfy);
    await installHooks(swarm.client.app, { url: sidecar.hooks }, signal);
    const made = makeTorrent({ version: "v1", files: [{ path: "there.bin", size: sizeBytes }] });
    await made.write(swarm.qbittorrent.savePath);
    await swarm.client.torrents.add({ files: [made.torrent] });
    await waitFor(
      async () =>
        (await (await fetch(`${sidecar.health}/metrics`)).text()).includes('events_total{kind="dropped"}'),
      { what: "it to be seen and dropped", timeoutMs: 20_000 },
    );
    expect(await readTopic(ntfy.url, "downloads")).toEqual([]);
  });
});

test.skipIf(await isMissing("ntfy 2.11.0"))(
  "a real ntfy before 2.16 gets few messages, and all that matters",
  async () => {
    await using swarm = await startSwarm("5.3.0");
    const version: NtfyVersion = "2.11.0";
    await using ntfy = await startNtfy({ version, config: unlimited });
    await using sidecar = await startSidecar(swarm.qbittorrent, ntfy, { NTFY_IN_PLACE: "auto" });
    const made = makeTorrent({ version: "v1", files: [{ path: "old.bin", size: sizeBytes }] });
    await swarm.seed(made);
    await swarm.client.torrents.add({ files: [made.torrent] });
    await fetch(`${sidecar.hooks}/track?hash=${made.infohashV1}`, { method: "POST" });
    await waitFor(async () => (await readTopic(ntfy.url, "downloads")).length > 0, {
      what: "a card",
      timeoutMs: 20_000,
    });
    await swarm.connect(made);
    await waitFor(
      async () => (await readTopic(ntfy.url, "downloads")).some(({ title }) => title === "Download Complete"),
      { what: "the completion", timeoutMs: 40_000 },
    );
    const { appeared, sounds } = showOnPhone(await readTopic(ntfy.url, "downloads"), "ios");
    expect(appeared).toBeLessThanOrEqual(3);
    expect(sounds).toHaveLength(1);
  },
);

test.skipIf(await isMissing("ntfy"))("a real ntfy's user, token-less and write-only, is enough", async () => {
  await using ntfy = await startNtfy({
    config: unlimited,
    users: [
      { username: "reader", password: "all" },
      { username: "qbit", password: "pässword: 1", role: "user", access: { downloads: "write-only" } },
    ],
  });
  await using qbittorrent = await startQbittorrent();
  using client = new QbitClient({ url: qbittorrent.url });
  const made = makeTorrent({ version: "v1", files: [{ path: "waiting.bin", size: sizeBytes }] });
  await client.torrents.add({ files: [made.torrent] });
  const env = { NTFY_USER: "qbit", NTFY_PASS: "pässword: 1" };
  await using sidecar = await startSidecar(qbittorrent, ntfy, env);
  const headers = { authorization: `Basic ${Buffer.from("reader:all").toString("base64")}` };
  await waitFor(async () => (await readTopic(ntfy.url, "downloads", headers)).length === 1, {
    what: "a card",
    timeoutMs: 20_000,
  });
  expect(sidecar.lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
});
