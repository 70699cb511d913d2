import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FinalizeResponse_Step as Step, Phase, Refusal_Reason } from "@qbit-sidecars/qbsync-protocol";
import { QbitClient, tagsOf } from "@qbit-sidecars/qbit-client";
import {
  isMissing,
  type MadeTorrent,
  makeTorrent,
  qbittorrentVersionsUnderTest,
  type RunningQbittorrent,
  startQbittorrent,
  tempDir,
  type TorrentOptions,
  waitFor,
} from "@qbit-sidecars/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestDestination } from "./test-destination.ts";
import { TestSource } from "./test-source.ts";

const KiB = 1024;

const files = [
  { path: "one.bin", size: 100_000 },
  { path: "deep/two.bin", size: 70_001 },
  { path: "empty.txt", size: 0 },
  { path: "three.bin", size: 33 },
  { path: "deep/four.bin", size: 65_536 },
];

const shapes: Record<string, TorrentOptions> = {
  v1: { version: "v1", files },
  "padded v1": { version: "v1", padded: true, files },
  hybrid: { version: "hybrid", files },
  v2: { version: "v2", files },
  "one file": { version: "v1", files: [{ path: "film.mkv", size: 200_000 }] },
  "a piece of 64 MiB": {
    version: "v1",
    pieceLength: 64 * KiB * KiB,
    files: [{ path: "large.bin", size: 70_000_000 }],
  },
};

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`on qBittorrent ${version}`, () => {
    let qbittorrent: RunningQbittorrent;
    let client: QbitClient;
    let destination: TestDestination;
    let source: TestSource;

    beforeAll(async () => {
      qbittorrent = await startQbittorrent({
        version,
        preferences: { refresh_interval: 100, queueing_enabled: false },
      });
      client = new QbitClient({ url: qbittorrent.url });
      destination = await TestDestination.start([
        `--data=${qbittorrent.savePath}`,
        `--qb-url=${qbittorrent.url}`,
        "--poll-interval=100ms",
        "--poll-timeout=20s",
      ]);
      source = new TestSource(destination.port);
    });

    afterAll(async () => {
      source?.[Symbol.dispose]();
      await destination?.[Symbol.asyncDispose]();
      client?.close();
      await qbittorrent?.[Symbol.asyncDispose]();
    });

    const inQbittorrent = async ({ torrentId }: MadeTorrent) => {
      const [torrent] = await client.torrents.info({ hashes: [torrentId] });
      if (!torrent) throw new Error("it is not in qBittorrent");
      return torrent;
    };

    const recheckedComplete = async (made: MadeTorrent) => {
      await client.torrents.recheck([made.torrentId]);
      await waitFor(async () => (await inQbittorrent(made)).state !== "stoppedUP", {
        what: "the check to begin",
        timeoutMs: 300,
      }).catch(() => {});
      return waitFor(
        async () => {
          const { state, progress } = await inQbittorrent(made);
          return state === "stoppedUP" && progress === 1;
        },
        { what: "the recheck to end at 100 %", timeoutMs: 20_000 },
      );
    };

    const seeds = async (made: MadeTorrent) => {
      await client.torrents.start([made.torrentId]);
      await waitFor(async () => ["uploading", "stalledUP"].includes((await inQbittorrent(made)).state), {
        what: `${made.name} to seed`,
        timeoutMs: 20_000,
      });
    };

    for (const [name, shape] of Object.entries(shapes))
      test.concurrent(`${name} arrives, is stopped at 100 %, tagged, passes a check and seeds`, async () => {
        const made = makeTorrent({ ...shape, seed: name, name: shape.files.length > 1 ? name : undefined! });
        await source.deliver(made, { category: "films", tags: ["hd"] });
        const { step, detail } = await source.finalized(made.torrentId);
        expect({ step, detail }).toEqual({ step: Step.FINISHED, detail: expect.anything() });
        const torrent = await inQbittorrent(made);
        expect(torrent).toMatchObject({ state: "stoppedUP", progress: 1, category: "films" });
        expect(tagsOf(torrent).toSorted()).toEqual(["hd", "synced"]);
        await expect(recheckedComplete(made)).resolves.toBe(true);
        await seeds(made);
        for (const { path, content } of made.files)
          expect((await readFile(join(qbittorrent.savePath, path))).equals(content())).toBe(true);
      });

    for (const kind of ["v1", "hybrid", "v2"] as const)
      test.concurrent(`a partial selection of a ${kind} torrent is complete without the swarm, and stays so after a check`, async () => {
        const made = makeTorrent({ version: kind, files, name: `partial ${kind}`, seed: `partial ${kind}` });
        await source.deliver(made, { unselectedFiles: [0, 4] });
        const { step, detail } = await source.finalized(made.torrentId);
        expect({ step, detail }).toEqual({ step: Step.FINISHED, detail: expect.anything() });
        expect(await inQbittorrent(made)).toMatchObject({ state: "stoppedUP", progress: 1 });
        await expect(recheckedComplete(made)).resolves.toBe(true);
        const priorities = (await client.torrents.files(made.torrentId)).map(({ priority }) => priority > 0);
        expect(priorities).toEqual([false, true, true, true, false]);
      });

    test.concurrent("two torrents of which other files of the same content are selected both seed, and pass a check", async () => {
      const [one, other] = ["one", "another"].map((tracker) =>
        makeTorrent({ version: "v1", files, name: "shared", seed: "shared", source: tracker }),
      );
      await source.deliver(one!, { unselectedFiles: [1, 4] });
      expect(await source.finalized(one!.torrentId)).toMatchObject({ step: Step.FINISHED });
      await seeds(one!);
      await source.deliver(other!, { unselectedFiles: [0, 3] });
      expect(await source.finalized(other!.torrentId)).toMatchObject({ step: Step.FINISHED });
      await seeds(other!);
      await client.torrents.stop([one!.torrentId, other!.torrentId]);
      for (const made of [one!, other!]) await expect(recheckedComplete(made)).resolves.toBe(true);
      for (const { path, content } of other!.files)
        expect((await readFile(join(qbittorrent.savePath, path))).equals(content()), path).toBe(true);
    });

    test.concurrent("files that the user renamed have their new names, here and in qBittorrent", async () => {
      const made = makeTorrent({ version: "v1", files, name: "renamed", seed: "renamed" });
      const renamedFiles = [{ file: 0, path: "renamed/uno.bin" }];
      await source.deliver(made, { renamedFiles, savePath: "by hand" });
      const { step, detail } = await source.finalized(made.torrentId);
      expect({ step, detail }).toEqual({ step: Step.FINISHED, detail: expect.anything() });
      expect((await client.torrents.files(made.torrentId))[0]).toMatchObject({ name: "renamed/uno.bin" });
      await expect(recheckedComplete(made)).resolves.toBe(true);
      const path = join(qbittorrent.savePath, "by hand/renamed/uno.bin");
      expect((await readFile(path)).equals(made.files[0]!.content())).toBe(true);
    });

    test.concurrent("a torrent without its folder is without it here as well, and needs no check", async () => {
      const made = makeTorrent({ version: "v1", files, name: "rootless", seed: "rootless" });
      const renamedFiles = made.files.map(({ path }, file) => ({
        file,
        path: path.replace("rootless/", ""),
      }));
      await source.deliver(made, { renamedFiles, savePath: "loose" });
      expect(await source.finalized(made.torrentId)).toMatchObject({ step: Step.FINISHED });
      expect((await client.torrents.files(made.torrentId))[0]).toMatchObject({ name: "one.bin" });
      await expect(recheckedComplete(made)).resolves.toBe(true);
    });

    test("a folder for incomplete torrents does not get in the way", async () => {
      await client.app.setPreferences({
        temp_path_enabled: true,
        temp_path: `${qbittorrent.savePath}/incomplete`,
      });
      const made = makeTorrent({ version: "v1", files, name: "in place", seed: "in place" });
      await source.deliver(made, { unselectedFiles: [1] });
      const { step, detail } = await source.finalized(made.torrentId);
      await client.app.setPreferences({ temp_path_enabled: false });
      expect({ step, detail }).toEqual({ step: Step.FINISHED, detail: expect.anything() });
      expect(await inQbittorrent(made)).toMatchObject({ state: "stoppedUP", progress: 1 });
    });

    test.concurrent("more of a finished torrent can be selected later", async () => {
      const made = makeTorrent({ version: "v1", files, name: "more", seed: "more" });
      await source.deliver(made, { unselectedFiles: [0, 1] });
      expect(await source.finalized(made.torrentId)).toMatchObject({ step: Step.FINISHED });
      await source.deliver(made, { unselectedFiles: [1] });
      const { step, detail } = await source.finalized(made.torrentId);
      expect({ step, detail }).toEqual({ step: Step.FINISHED, detail: expect.anything() });
      await expect(recheckedComplete(made)).resolves.toBe(true);
      expect(
        (await readFile(join(qbittorrent.savePath, "more/one.bin"))).equals(made.files[0]!.content()),
      ).toBe(true);
    });

    test.concurrent("what qBittorrent is at work on itself is refused, and taken once it is removed there", async () => {
      const made = makeTorrent({ version: "hybrid", files, name: "in work", seed: "in work" });
      await client.torrents.add({ files: [made.torrent], stopped: true });
      const state = async () => (await inQbittorrent(made)).state;
      await waitFor(async () => (await state().catch(() => "")) === "stoppedDL", {
        what: "it in qBittorrent",
      });
      expect((await source.open(made)).result).toMatchObject({
        $case: "refusal",
        refusal: { reason: Refusal_Reason.IN_QBITTORRENT, detail: expect.stringContaining("0.0 %") },
      });
      await client.torrents.delete([made.torrentId], { deleteFiles: false });
      await source.deliver(made);
      expect(await source.finalized(made.torrentId)).toMatchObject({ step: Step.FINISHED });
    });

    test.concurrent("what qBittorrent has completed itself is found, and nothing of it is sent", async () => {
      const made = makeTorrent({ version: "v1", files, name: "had", seed: "had" });
      await made.write(qbittorrent.savePath);
      await client.torrents.add({ files: [made.torrent], stopped: true, skipChecking: true });
      await waitFor(async () => (await inQbittorrent(made).catch(() => undefined))?.state === "stoppedUP", {
        what: "it in qBittorrent",
      });
      await source.mustOpen(made);
      expect((await source.whenNotPaused(made.torrentId)).neededCount).toBe(0);
      expect(await source.finalized(made.torrentId)).toMatchObject({ step: Step.FINISHED });
      expect(tagsOf(await inQbittorrent(made))).toContain("synced");
    });

    test("while qBittorrent is away the torrent waits for it", async () => {
      const made = makeTorrent({ version: "v1", files, name: "away", seed: "away" });
      await source.deliver(made);
      await qbittorrent.stop();
      await waitFor(async () => (await source.finalize(made.torrentId, 100)).step === Step.QBITTORRENT_AWAY, {
        what: "it to be told",
        timeoutMs: 20_000,
      });
      await qbittorrent.start();
      expect(await source.finalized(made.torrentId)).toMatchObject({ step: Step.FINISHED });
      expect((await source.state(made.torrentId)).phase).toBe(Phase.FINISHED);
    });

    test.concurrent("where qBittorrent sees other files than it is told, it fails after the timeout and says so", async () => {
      await using elsewhere = await tempDir();
      await using mistaken = await TestDestination.start([
        `--data=${elsewhere.path}`,
        `--save-path=${qbittorrent.savePath}/nothing here`,
        `--qb-url=${qbittorrent.url}`,
        "--poll-interval=100ms",
        "--poll-timeout=1s",
      ]);
      using other = new TestSource(mistaken.port);
      const made = makeTorrent({ version: "v1", files, name: "mistaken", seed: "mistaken" });
      await other.deliver(made);
      const { step, detail } = await other.finalized(made.torrentId);
      expect(step).toBe(Step.FAILED);
      expect(detail).toMatch(/qBittorrent/);
    });
  });
}
