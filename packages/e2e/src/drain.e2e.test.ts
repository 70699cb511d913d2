import { certificateAuthority, isMissing, tempDir, waitFor } from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { HandOffStage } from "./hand-off-stage.ts";

vi.setConfig({ testTimeout: 240_000 });

const patience = { timeoutMs: 60_000 };

/** As the seed deploys it: nothing is cleaned for space, torrents are to be seeded for an hour. */
const asDeployed = {
  QBSYNC_SOURCE_MIN_SPACE: "0",
  QBSYNC_SOURCE_MIN_SEEDING_TIME: "3600",
  QBSYNC_SOURCE_EXCLUDE_CLEANUP_TAG: "keep",
  QBSYNC_SOURCE_DRAIN_TIMEOUT: "60",
};

/** A Kubernetes API with this program's pod, and the variables and files of a pod. */
async function pod(annotations: Record<string, string>) {
  const authority = certificateAuthority("kubernetes");
  const folder = await tempDir();
  await writeFile(join(folder.path, "token"), "a token");
  await writeFile(join(folder.path, "ca.crt"), authority.cert);
  await writeFile(join(folder.path, "namespace"), "media");
  const server = createServer(authority.issue({ names: ["127.0.0.1"] }), (request, response) => {
    const isAllowed = request.url === "/api/v1/namespaces/media/pods/qbsync-source-0";
    response.writeHead(isAllowed ? 200 : 403);
    response.end(JSON.stringify({ kind: "Pod", metadata: { annotations } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    env: {
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String(port),
      POD_NAME: "qbsync-source-0",
      POD_NAMESPACE: "media",
      QBSYNC_SOURCE_SERVICE_ACCOUNT_DIR: folder.path,
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function syncedTorrents(stage: HandOffStage) {
  const [one, two, kept] = [
    await stage.add("one"),
    await stage.add("two"),
    await stage.add("kept", { tags: ["keep"] }),
  ];
  for (const made of [one, two, kept])
    await waitFor(
      async () => {
        const sides = [await stage.at("seedbox", made), await stage.at("home", made)];
        return sides.every((torrent) => torrent?.tags.includes("synced") === true);
      },
      { what: `${made.name} to be synced`, ...patience },
    );
  return { one, two, kept };
}

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("a drain between real qBittorrents", () => {
  test('SIGTERM, with the annotation "true": what is synced seeds at home and is gone here, what is tagged to stay stays; exit 0', async () => {
    await using kubernetes = await pod({ "qbsync/drain": "true" });
    await using stage = await HandOffStage.set({
      env: { ...asDeployed, ...kubernetes.env, QBSYNC_SOURCE_SETTLE_TIME: "3s" },
    });
    const { one, two, kept } = await syncedTorrents(stage);
    stage.source!.kill("SIGTERM");
    expect(await stage.source!.ended).toBe(0);
    for (const made of [one, two]) {
      expect(await stage.at("seedbox", made)).toBeUndefined();
      expect(await stage.seedsAt("home", made)).toBe(true);
      await waitFor(async () => (await stage.at("home", made))?.tags.includes("source-removed"), {
        what: "the tag",
      });
    }
    expect(await stage.seedsAt("seedbox", kept)).toBe(true);
    expect((await stage.at("home", kept))?.state).toBe("stoppedUP");
    expect(stage.seenTwice).toEqual([]);
    const said = stage.lines.map(({ msg }) => msg);
    expect(said).toContainEqual(expect.stringMatching(/^drain: to be handed over: 2 torrents, [\d.]+ MB$/u));
    expect(said).toContainEqual(expect.stringContaining("(2 of 2, "));
    for (const { name } of [one, two])
      expect(said.filter((line) => line.startsWith(`${name} seeds at the destination`))).toHaveLength(1);
    expect(said).toContainEqual(
      expect.stringMatching(
        /^drain: 2 torrents handed over, .*; 1 stay: kept\.bin \(its tag says that it stays\)$/u,
      ),
    );
  });

  test.each([
    ["no", { "qbsync/drain": "false" }],
    ["another", { "somebody/drain": "true" }],
  ])("with %s annotation it ends at once, with 0, and everything stays", async (_, annotations) => {
    await using kubernetes = await pod(annotations);
    await using stage = await HandOffStage.set({
      env: { ...asDeployed, ...kubernetes.env, QBSYNC_SOURCE_SETTLE_TIME: "0" },
    });
    const { one, two } = await syncedTorrents(stage);
    stage.source!.kill("SIGTERM");
    expect(await stage.source!.ended).toBe(0);
    expect(stage.lines.map(({ msg }) => msg)).toContainEqual(expect.stringContaining("SIGTERM: no drain: "));
    for (const made of [one, two]) expect(await stage.seedsAt("seedbox", made)).toBe(true);
  });

  test("with an empty annotation every SIGTERM drains, and HTTP does only from this machine", async () => {
    await using stage = await HandOffStage.set({
      env: { ...asDeployed, QBSYNC_SOURCE_DRAIN_ANNOTATION: "", QBSYNC_SOURCE_SETTLE_TIME: "0" },
    });
    const { one } = await syncedTorrents(stage);
    const stranger = await fetch(`${stage.sourceUrl}/drain?wait`, {
      headers: { "x-forwarded-for": "10.0.0.1" },
    });
    expect(stranger.status).toBe(403);
    stage.source!.kill("SIGTERM");
    expect(await stage.source!.ended).toBe(0);
    expect(await stage.seedsAt("home", one)).toBe(true);
    expect(await stage.at("seedbox", one)).toBeUndefined();
  });

  test("GET /drain?wait answers when it is done, also to the second who asks; SIGTERM after it, with qBittorrent gone, ends at once", async () => {
    const annotations = { "qbsync/drain": "false" };
    await using kubernetes = await pod(annotations);
    await using stage = await HandOffStage.set({
      env: { ...asDeployed, ...kubernetes.env, QBSYNC_SOURCE_SETTLE_TIME: "0" },
    });
    const { one, two } = await syncedTorrents(stage);
    const ask = async (method = "GET"): Promise<unknown> =>
      await (await fetch(`${stage.sourceUrl}/drain?wait`, { method })).json();
    expect(await ask()).toMatchObject({ result: "declined" });
    expect(await stage.seedsAt("seedbox", one)).toBe(true);
    annotations["qbsync/drain"] = "true";
    const answers = await Promise.all([ask(), ask("POST")]);
    for (const answer of answers) expect(answer).toMatchObject({ result: "partly drained", handedOff: 2 });
    for (const made of [one, two]) expect(await stage.seedsAt("home", made)).toBe(true);
    // The hook has answered: the kubelet stops qBittorrent, then its sidecars.
    await stage.seedbox.stop();
    const askedAt = performance.now();
    stage.source!.kill("SIGTERM");
    expect(await stage.source!.ended).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(20_000);
    expect(await (await fetch(`${stage.home.url}/api/v2/torrents/info`)).json()).toHaveLength(3);
  });

  test("killed (kill -9) in a drain, the next start brings to its end what was begun, and nothing more", async () => {
    await using kubernetes = await pod({ "qbsync/drain": "true" });
    await using stage = await HandOffStage.set({
      env: { ...asDeployed, ...kubernetes.env, QBSYNC_SOURCE_SETTLE_TIME: "0" },
    });
    const { one } = await syncedTorrents(stage);
    const stopping = stage.hears("hand-off of one.bin: start there");
    stage.source!.kill("SIGTERM");
    await stopping;
    await stage.strike("qbsync-source");
    expect(await stage.end(one)).toBe("handed off");
    expect(stage.seenTwice).toEqual([]);
  });
});
