import { seedExample as rules } from "@qbit-sidecars/rules/seed-example";
import { startFakeQbittorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { backends, backendsAtHand } from "./backends-under-test.ts";
import { startServerUnderTest } from "./server-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });

const film = "a".repeat(40);
const torrents = [{ name: "Film.2026.1080p", hash: film }];

for (const backend of backends) {
  describe.skipIf(backend.missing)(`the seed's criteria, the queue in ${backend.name}`, () => {
    test("jobs survive a restart, those that waited are done then", async () => {
      await using store = await backend.start();
      await using folder = await tempDir();
      await using fake = await startFakeQbittorrent({ torrents });
      const start = async () =>
        await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env, folder });
      const first = await start();
      const done = await first.done("context=before");
      const waiting = (await first.post("/api/execute?context=on_added&hash=1&delay=1")).body.job_id;
      await expect(first.stop()).resolves.toBe(0);
      await using second = await start();
      expect((await second.get(`/api/jobs/${done.job_id}`)).body).toEqual(done);
      await expect(second.over(waiting)).resolves.toMatchObject({ status: "completed" });
    });

    test("its three example rules do what their names say", async () => {
      await using store = await backend.start();
      const old = { progress: 1, completion_on: 1_600_000_000, ratio: 3, num_complete: 40 };
      const rare = { progress: 1, completion_on: Date.now() / 1000, ratio: 0.1, num_complete: 1 };
      await using fake = await startFakeQbittorrent({
        torrents: [
          { name: "Old", fields: old },
          { name: "Rare", hash: "b".repeat(40), fields: rare },
          { name: "Common", fields: { ...rare, num_complete: 40 } },
        ],
      });
      await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env });
      expect((await server.get("/api/rules")).body.rules).toHaveLength(3);
      const job = await server.done("context=scheduled");
      expect(job.result).toMatchObject({ rules_matched: 2, actions_executed: 2 });
      expect(fake.torrents.map(({ name }) => name)).toEqual(["Rare", "Common"]);
      expect(fake.torrents.map(({ state }) => state)).toEqual(["forcedUP", "stalledUP"]);
      expect(fake.calls.list("torrents/delete")).toMatchObject([{ params: { deleteFiles: "false" } }]);
    });

    test("a hundred webhooks at once are a hundred jobs, each of which is done", async () => {
      await using store = await backend.start();
      const hashes = Array.from({ length: 100 }, (_, at) => at.toString(16).padStart(40, "d"));
      await using fake = await startFakeQbittorrent({
        torrents: hashes.map((hash) => ({ name: `${hash}.1080p`, hash })),
      });
      await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env });
      const jobs = await Promise.all(
        hashes.map(async (hash) => await server.done(`context=on_added&hash=${hash}`)),
      );
      expect(new Set(jobs.map(({ job_id: id }) => id)).size).toBe(100);
      expect(jobs.every(({ status, result }) => status === "completed" && result.rules_matched === 1)).toBe(
        true,
      );
      expect(fake.torrents.filter(({ tags }) => tags === "hd")).toHaveLength(100);
    });

    test("the CLI's job commands work, and the process ends within 30 s", async () => {
      await using store = await backend.start();
      await using fake = await startFakeQbittorrent({ torrents });
      await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env });
      const run = async (...args: string[]) => {
        const { code, stdout } = await server.cli([...args, "--json"]);
        expect([args, code]).toEqual([args, 0]);
        return JSON.parse(stdout);
      };
      const done = await run("--context", "on_added", "--hash", film, "--wait", "--dry-run", "--trace");
      expect(done).toMatchObject({ status: "completed", result: { rules_matched: 1, dry_run: true } });
      expect(done.details.trace).toHaveLength(1);
      const { body } = await server.post("/api/execute?context=later&hash=1&delay=600");
      expect((await run("--list-jobs")).jobs).toHaveLength(2);
      await expect(run("--job-status", body.job_id)).resolves.toMatchObject({ status: "pending" });
      await expect(run("--cancel-job", body.job_id)).resolves.toMatchObject({ status: "cancelled" });
      await expect(run("--stats")).resolves.toMatchObject({ jobs: { total: 2, completed: 1, cancelled: 1 } });
      const stoppedAt = performance.now();
      await expect(server.stop()).resolves.toBe(0);
      expect(performance.now() - stoppedAt).toBeLessThan(30_000);
    });

    test("a qBittorrent that is away makes health 503 with reasons, and the job waits for it", async () => {
      await using store = await backend.start();
      await using fake = await startFakeQbittorrent({ torrents });
      await fake.down();
      await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env });
      const { status, body } = await server.get("/api/health");
      expect([status, body.status]).toEqual([503, "unhealthy"]);
      expect(body.errors[0]).toMatch(/^Cannot connect to qBittorrent/);
      expect((await server.get("/livez")).status).toBe(200);
      const id = (await server.post(`/api/execute?context=on_added&hash=${film}`)).body.job_id;
      await waitFor(async () => (await server.get(`/api/jobs/${id}`)).body.waits_for, { what: "it to wait" });
      await fake.up();
      await expect(server.over(id)).resolves.toMatchObject({
        status: "completed",
        result: { rules_matched: 1 },
      });
    });
  });
}

test.each(backendsAtHand.filter(({ name }) => name === "Redis"))(
  "a server that leaves the work to rules-workers says so when there is none",
  async ({ start }) => {
    await using store = await start();
    await using fake = await startFakeQbittorrent();
    const env = { ...store.env, QBT_RULES_WORKER: "off" };
    await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env });
    const { status, body } = await server.get("/api/health");
    expect([status, body.worker.mode, body.worker.status]).toEqual([503, "remote", "stopped"]);
    expect(body.errors).toEqual(["Worker thread not responding: no rules-worker takes jobs from the queue"]);
    const { body: job } = await server.post("/api/execute?context=waits");
    expect((await server.get(`/api/jobs/${job.job_id}`)).body.status).toBe("pending");
  },
);
