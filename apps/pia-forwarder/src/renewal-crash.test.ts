import { FakeClock, PiaModel, seededRandom } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { GivePort } from "./give-port.ts";
import { HoldPort } from "./hold-port.ts";
import { Pia } from "./pia.ts";
import { readStateFile, stateFile } from "./state.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const gateway = "127.0.0.1";
const account = { username: "p1234567", password: "pia-password" };
const { signal } = new AbortController();

/** The process is gone: nothing after it happens. */
class Killed extends Error {}

/** Everything outside the process: the disk, PIA, qBittorrent. It lives through the kill. */
class Outside {
  readonly clock = new FakeClock();
  readonly model = new PiaModel({ now: this.clock.now, ...account, random: seededRandom(1) });
  disk: string | undefined;
  qbittorrent = { isUp: true, port: 6881 };
  /** Each request and each write is two places to be killed at: before it, and after it. */
  killAtStep = Infinity;

  get killed(): boolean {
    return this.killAtStep < 0;
  }

  step(): void {
    if (this.killAtStep === 0) {
      this.killAtStep = -1;
      throw new Killed();
    }
    this.killAtStep -= 1;
  }

  around<T>(act: () => T): T {
    this.step();
    const result = act();
    this.step();
    return result;
  }

  isForwarded(): boolean {
    return this.model.bindings(gateway).isBound(this.qbittorrent.port);
  }
}

/** The process: what `app.ts` wires, without loops and sockets. */
async function born(outside: Outside) {
  const now = outside.clock.now;
  const about = { hostname: undefined, username: account.username, now };
  const folder = {
    read: () => Promise.resolve(outside.disk),
    write: async (_name: string, content: string) => {
      outside.around(() => (outside.disk = content));
      return true;
    },
  };
  const pia = new Pia(
    {
      askGateway: async ({ path, query = {} }) =>
        outside.around(() => outside.model.answer(gateway, { path, query })),
      askToken: async (form) => outside.around(() => outside.model.logIn(form)),
    },
    now,
  );
  const hold = new HoldPort({
    pia,
    gateways: { find: () => Promise.resolve(gateway), forget() {} },
    tokens: {
      token: async () => ({ value: await pia.token(account, signal), obtainedAtMs: now(), from: "login" }),
    },
    keeper: stateFile(folder, about),
    policy: { bindEveryMs: 5 * minuteMs, renewBeforeMs: 7 * dayMs, canLogIn: true },
    kept: await readStateFile(folder, about),
    now,
  });
  const give = new GivePort({
    held: () => hold.held(),
    onGiven: (port) => hold.release(port),
    listener: {
      isDeaf: () => Promise.resolve(false),
      async listenOn({ port }) {
        if (!outside.qbittorrent.isUp) throw new Error("qBittorrent is away");
        const before = outside.qbittorrent.port;
        outside.around(() => (outside.qbittorrent.port = port));
        return { outcome: before === port ? "unchanged" : "set", before };
      },
    },
    noticeboard: undefined,
    now,
  });
  return {
    async step() {
      await hold.step(signal);
      await give.step(signal).catch((error: unknown) => {
        if (error instanceof Killed) throw error;
      });
    },
  };
}

/** One hour in which the port's end comes near, qBittorrent is away for half of it, and the process is killed once. */
async function renewal(killAtStep: number): Promise<Outside> {
  const outside = new Outside();
  let life = await born(outside);
  await life.step();
  // Thirty seconds before the renewal.
  outside.clock.jumpWallClock(55 * dayMs - minuteMs / 2);
  await life.step();
  const old = outside.qbittorrent.port;
  expect(outside.isForwarded()).toBe(true);
  outside.qbittorrent.isUp = false;
  outside.killAtStep = killAtStep;
  for (let minute = 1; minute <= 60; minute += 1) {
    outside.clock.jumpWallClock(minuteMs);
    if (minute === 40) outside.qbittorrent.isUp = true;
    try {
      await life.step();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      life = await born(outside);
      await life.step();
    }
    const at = `minute ${minute}, killed at step ${killAtStep}`;
    expect(outside.isForwarded(), at).toBe(true);
  }
  expect(outside.qbittorrent.port).not.toBe(old);
  expect(outside.model.bindings(gateway).isBound(old)).toBe(false);
  return outside;
}

test("killed at any step of a renewal, the port qBittorrent listens on is forwarded all the while", async () => {
  let kills = 0;
  for (let killAtStep = 0; (await renewal(killAtStep)).killed; killAtStep += 1) kills += 1;
  expect(kills).toBeGreaterThan(50);
});
