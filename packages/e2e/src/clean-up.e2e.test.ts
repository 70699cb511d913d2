import { isMissing, waitFor } from "@qbit-sidecars/testing";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { HandOffStage } from "./hand-off-stage.ts";

vi.setConfig({ testTimeout: 240_000 });

const patience = { timeoutMs: 60_000 };

async function synced(
  stage: HandOffStage,
  ...added: Awaited<ReturnType<HandOffStage["add"]>>[]
): Promise<void> {
  for (const made of added)
    await waitFor(
      async () => {
        const sides = [await stage.at("seedbox", made), await stage.at("home", made)];
        return sides.every((torrent) => torrent?.tags.includes("synced") === true);
      },
      { what: `${made.name} to be synced`, ...patience },
    ).catch(async (cause: unknown) => {
      throw new Error(await stage.describe(made), { cause });
    });
}

/** A row of `GET /plan`. */
type Row = { id: string; clean_up: { plan: string; why: string } };

/** Some looks of qbsync-source later: it had every occasion to do something. */
async function looksAgain(stage: HandOffStage): Promise<void> {
  const done = async (): Promise<number> => {
    const metrics = await (await fetch(`${stage.sourceUrl}/metrics`)).text();
    const steps = metrics
      .split("\n")
      .filter((line) => line.startsWith("reconcile_steps_total") && line.includes('"clean-up"'));
    return steps.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  const before = await done();
  await waitFor(async () => (await done()) >= before + 4, { what: "four more looks", ...patience });
}

describe.skipIf(await isMissing("qBittorrent 5.3.0"))(
  "settings of the seed, between real qBittorrents",
  () => {
    test("MIN_SPACE: while less is free a synced torrent is handed over, removed with its files, tagged there and seeds there", async () => {
      await using stage = await HandOffStage.set();
      const made = await stage.add("short of space");
      expect(await stage.end(made)).toBe("handed off");
      expect(await stage.isWholeAtHome(made)).toBe(true);
      const file = `${stage.seedbox.savePath}/${made.files[0]!.path}`;
      // qBittorrent deletes files after it has answered.
      await waitFor(async () => !existsSync(file), { what: "its file to be gone" });
      expect(stage.seenTwice).toEqual([]);
      // Counted once home has answered that it put the tag on.
      const metrics = async () => await (await fetch(`${stage.sourceUrl}/metrics`)).text();
      await waitFor(
        async () => (await metrics()).includes('qbsync_hand_offs_total{outcome="handed_off"} 1'),
        {
          what: "it to be counted",
        },
      );
      expect(await metrics()).toMatch(/qbsync_cleanup_freed_bytes_total 3\d{5}/u);
    });

    test("MIN_SPACE, MIN_SEEDING_TIME, EXCLUDE_CLEANUP_TAG, SETTLE_TIME: each of them keeps it here", async () => {
      const kept = [
        { env: { QBSYNC_SOURCE_MIN_SPACE: "0" }, tags: [], why: "there is room" },
        { env: { QBSYNC_SOURCE_MIN_SEEDING_TIME: "3600" }, tags: [], why: "it was seeded for" },
        { env: { QBSYNC_SOURCE_EXCLUDE_CLEANUP_TAG: "keep" }, tags: ["keep"], why: "its tag says" },
        { env: { QBSYNC_SOURCE_SETTLE_TIME: "1h" }, tags: [], why: "not known for long enough" },
      ];
      await using stage = await HandOffStage.set({ isStarted: false });
      for (const [index, { env, tags, why }] of kept.entries()) {
        stage.startSource(env);
        const made = await stage.add(`kept ${index}`, { tags });
        await synced(stage, made);
        await looksAgain(stage);
        expect(await stage.seedsAt("seedbox", made), JSON.stringify(env)).toBe(true);
        expect((await stage.at("home", made))?.state, JSON.stringify(env)).toBe("stoppedUP");
        const { torrents }: { torrents: Row[] } = JSON.parse(
          await (await fetch(`${stage.sourceUrl}/plan`)).text(),
        );
        const row = torrents.find(({ id }) => id === made.torrentId);
        expect(row?.clean_up).toEqual({ plan: "stay", why: expect.stringContaining(why) });
        await stage.source![Symbol.asyncDispose]();
      }
    });

    test("MIN_SEEDING_TIME: passes also for a torrent that nobody asks for, of which qBittorrent tells no time", async () => {
      await using stage = await HandOffStage.set({ env: { QBSYNC_SOURCE_MIN_SEEDING_TIME: "5s" } });
      const made = await stage.add("alone");
      expect(await stage.end(made)).toBe("handed off");
    });

    test("SOURCE_REMOVED_TAG: what a person removes here seeds there, tagged so; empty, without a tag", async () => {
      await using stage = await HandOffStage.set({ env: { QBSYNC_SOURCE_MIN_SPACE: "0" } });
      const [made, other] = [await stage.add("removed"), await stage.add("removed, no tag")];
      await synced(stage, made, other);
      await stage.clients.seedbox.torrents.delete([made.torrentId], { deleteFiles: true });
      await waitFor(async () => (await stage.at("home", made))?.tags.includes("source-removed") === true, {
        what: `the tag; ${await stage.describe(made)}`,
        ...patience,
      });
      await waitFor(() => stage.seedsAt("home", made), {
        what: `it to seed; ${await stage.describe(made)}`,
        ...patience,
      });
      await stage.source![Symbol.asyncDispose]();
      stage.startSource({ QBSYNC_SOURCE_SOURCE_REMOVED_TAG: "" });
      await waitFor(async () => (await fetch(`${stage.sourceUrl}/status`)).ok, {
        what: "it to run",
        ...patience,
      });
      await waitFor(
        async () => (await (await fetch(`${stage.sourceUrl}/status`)).text()).includes('"synced"'),
        {
          what: "it to know",
          ...patience,
        },
      );
      await stage.clients.seedbox.torrents.delete([other.torrentId], { deleteFiles: true });
      await waitFor(() => stage.seedsAt("home", other), { what: "it to seed at home", ...patience });
      expect((await stage.at("home", other))?.tags).toBe("synced");
    });

    test("torrents of the same file go together, in one removal; one that is to stay keeps the other", async () => {
      await using stage = await HandOffStage.set({
        env: { QBSYNC_SOURCE_EXCLUDE_CLEANUP_TAG: "keep", QBSYNC_SOURCE_MIN_SPACE: "0" },
      });
      const pair = async (name: string, tags: string[]) => {
        const one = await stage.add(name, { seed: name });
        await synced(stage, one);
        const sameFile = await stage.add(name, { seed: name, isPrivate: true, tags });
        await synced(stage, sameFile);
        return [one, sameFile] as const;
      };
      const together = await pair("together", []);
      const kept = await pair("kept", ["keep"]);
      await stage.source![Symbol.asyncDispose]();
      stage.startSource({ QBSYNC_SOURCE_MIN_SPACE: "1000TB" });
      for (const made of together) expect(await stage.end(made)).toBe("handed off");
      expect(await stage.isWholeAtHome(together[0])).toBe(true);
      await looksAgain(stage);
      for (const made of kept) expect(await stage.seedsAt("seedbox", made)).toBe(true);
      expect(stage.seenTwice).toEqual([]);
    });

    test("what home does not have whole any more is not removed here", async () => {
      await using stage = await HandOffStage.set({ env: { QBSYNC_SOURCE_MIN_SPACE: "0" } });
      const made = await stage.add("damaged");
      await synced(stage, made);
      await rm(`${stage.home.savePath}/${made.files[0]!.path}`);
      await stage.clients.home.torrents.recheck([made.torrentId]);
      await waitFor(async () => ((await stage.at("home", made))?.progress ?? 1) < 1, {
        what: "it to be seen",
        ...patience,
      });
      await stage.source![Symbol.asyncDispose]();
      const heard = stage.hears("stays:");
      stage.startSource({ QBSYNC_SOURCE_MIN_SPACE: "1000TB" });
      await heard;
      expect(await stage.seedsAt("seedbox", made)).toBe(true);
    });

    test("a destination without a qBittorrent takes nothing over: it stays here, and /plan says why", async () => {
      await using stage = await HandOffStage.set({ isStarted: false });
      await stage.destination![Symbol.asyncDispose]();
      delete stage.env.destination["QBSYNC_DESTINATION_QB_URL"];
      stage.startDestination();
      stage.startSource();
      const made = await stage.add("stored only");
      await waitFor(async () => (await stage.at("seedbox", made))?.tags.includes("synced") === true, {
        what: "it to be stored",
        ...patience,
      });
      await looksAgain(stage);
      expect(await stage.seedsAt("seedbox", made)).toBe(true);
      const { torrents }: { torrents: Row[] } = JSON.parse(
        await (await fetch(`${stage.sourceUrl}/plan`)).text(),
      );
      const why = expect.stringContaining("takes no part in hand-offs");
      expect(torrents.find(({ id }) => id === made.torrentId)?.clean_up).toEqual({ plan: "stay", why });
    });

    test("--dry-run says it and does nothing", async () => {
      await using stage = await HandOffStage.set({ env: { QBSYNC_SOURCE_MIN_SPACE: "0" } });
      const made = await stage.add("dry");
      await synced(stage, made);
      await stage.source![Symbol.asyncDispose]();
      const tags = async () => [
        (await stage.at("seedbox", made))?.tags,
        (await stage.at("home", made))?.tags,
      ];
      const before = await tags();
      const heard = stage.hears("dry run: dry.bin would be handed over and removed here");
      stage.startSource({ QBSYNC_SOURCE_MIN_SPACE: "1000TB", QBSYNC_SOURCE_DRY_RUN: "true" });
      await heard;
      await looksAgain(stage);
      expect(await tags()).toEqual(before);
      expect(await stage.seedsAt("seedbox", made)).toBe(true);
    });

    test("a source whose qBittorrent was just restarted (no free space told, no torrents listed) removes nothing and starts nothing", async () => {
      await using stage = await HandOffStage.set({
        env: { QBSYNC_SOURCE_SETTLE_TIME: "60s", QBSYNC_SOURCE_MIN_SPACE: "1000TB" },
      });
      const torrents = await Promise.all(["a", "b", "c"].map((name) => stage.add(`restart ${name}`)));
      await synced(stage, ...torrents);
      for (let round = 0; round < 3; round += 1) {
        await stage.seedbox.restart();
        await waitFor(async () => (await stage.clients.seedbox.torrents.info()).length === 3, {
          what: "its torrents",
        });
        await delay(1000);
        for (const made of torrents) {
          expect(await stage.seedsAt("seedbox", made)).toBe(true);
          expect((await stage.at("home", made))?.state).toBe("stoppedUP");
        }
      }
    });
  },
);
