import { FakeClock } from "@qbit-sidecars/testing";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { isForwarded, listenPort, pass, readState, world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

const minuteMs = 60_000;

describe("asking", () => {
  test("--once binds, gives the port over and ends with 0; the next time it is the same port", async () => {
    await using at = await world();
    await using first = at.start({ args: ["--once"] });
    expect(await first.exited).toBe(0);
    const port = listenPort(at.qbittorrent);
    expect(isForwarded(at.pia, at.qbittorrent)).toBe(true);
    await using second = at.start({ args: ["--once"] });
    expect(await second.exited).toBe(0);
    expect(listenPort(at.qbittorrent)).toBe(port);
    expect(at.pia.tokens.logins()).toBe(1);
  });

  test("--once ends with 1 and the reason when PIA or qBittorrent cannot be reached", async () => {
    await using at = await world();
    await at.qbittorrent.down();
    await using deaf = at.start({ args: ["--once"] });
    expect(await deaf.exited).toBe(1);
    await at.pia.gateway.down();
    await using alone = at.start({ args: ["--once"] });
    expect(await alone.exited).toBe(1);
    expect(alone.complaints().at(-1)?.err?.type).toBe("PiaUnreachableError");
  });

  test("--once from cron, with a password that qBittorrent refuses, holds the port and gets nobody banned", async () => {
    await using at = await world({
      fake: { auth: { username: "admin", password: "right" } },
      env: { QBITTORRENT_PASSWORD: "wrong" },
    });
    for (let run = 1; run <= 3; run += 1) {
      await using life = at.start({ args: ["--once"] });
      expect(await life.exited).toBe(1);
    }
    expect(at.qbittorrent.calls.count("auth/login")).toBe(1);
    expect(at.pia.gateway.count("bindPort")).toBe(3);
    await using well = at.start({ args: ["--once"], env: { QBITTORRENT_PASSWORD: "right" } });
    expect(await well.exited).toBe(0);
  });

  test("`status` shows what the running service tells, and what was kept when there is none", async () => {
    await using at = await world();
    const life = at.start();
    const port = await life.settled();
    const env = { HEALTH_ADDR: life.health.slice("http://".length), LOG_LEVEL: "silent" };
    await using asked = at.start({ args: ["status"], env });
    expect(await asked.exited).toBe(0);
    expect(JSON.parse(asked.stdout())).toMatchObject({ running: true, held: true, port });
    await life.stop();
    await using kept = at.start({ args: ["status"], env });
    expect(await kept.exited).toBe(1);
    expect(JSON.parse(kept.stdout())).toEqual({ running: false, port, expires_at: expect.any(String) });
    await using none = at.start({
      args: ["status"],
      env: { ...env, STATE_DIR: join(at.folder, "elsewhere") },
    });
    expect(await none.exited).toBe(1);
    expect(JSON.parse(none.stdout())).toMatchObject({
      why: expect.stringMatching(
        /nothing answers at HEALTH_ADDR, and no port was kept yet: there is no .*elsewhere/,
      ),
    });
  });
});

test("no secret reaches a log line, a status page, a metric or standard output", async () => {
  const clock = new FakeClock(Date.now());
  await using at = await world({
    clock,
    pia: { password: "pia-s3cret" },
    fake: { auth: { username: "admin", password: "qbit-s3cret" } },
    env: {
      QBITTORRENT_PASSWORD: "qbit-s3cret",
      WEBHOOK_URL: "http://127.0.0.1:1/hook-s3cret",
      LOG_LEVEL: "trace",
    },
  });
  await using life = at.start();
  await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
  await clock.advanceUntil(() => life.lines.some(({ msg }) => msg.startsWith("tell-change failed")), {
    what: "the webhook failing",
  });
  const kept = await readState(at);
  at.pia.model.revokeTokens();
  at.pia.model.replaceSigningKey();
  await at.pia.gateway.down();
  await pass(clock, 10 * minuteMs);
  await at.pia.gateway.up();
  await clock.advanceUntil(() => at.pia.tokens.logins() === 2, { what: "another login" });
  const pages = await Promise.all(["/status", "/readyz", "/livez"].map((path) => life.get(path)));
  const all = JSON.stringify([life.lines, pages]) + life.stdout() + (await life.metrics());
  const secrets = [
    "pia-s3cret",
    "qbit-s3cret",
    "hook-s3cret",
    kept["token"],
    kept["payload"],
    kept["signature"],
  ];
  for (const secret of secrets) expect(all).not.toContain(secret);
});
