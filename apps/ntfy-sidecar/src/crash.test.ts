import type { Torrent } from "@qbit-sidecars/qbit-client";
import type { StateDir } from "@qbit-sidecars/service";
import { type NtfyMessage, showOnPhone } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { deliverNotices } from "./deliver-notices.ts";
import { tellAll, torrent } from "./download.fixture.ts";
import { openLedger } from "./ledger.ts";
import type { Notice } from "./outbox.ts";
import { Pace } from "./pace.ts";
import { NoticePlanner } from "./plan-notices.ts";
import { DownloadWatch } from "./watch-downloads.ts";

const { signal } = new AbortController();

/** The process is gone: nothing after it happens. */
class Killed extends Error {}

/** Everything outside the process: the disk, ntfy, qBittorrent. It lives through the kill. */
class Outside {
  disk: string | undefined;
  readonly messages: NtfyMessage[] = [];
  readonly torrents = new Map<string, Torrent>();
  #stepsLeft: number;

  constructor(killAtStep: number) {
    this.#stepsLeft = killAtStep;
  }

  get killed(): boolean {
    return this.#stepsLeft < 0;
  }

  /** Each write and each send is two places to be killed at: before it, and after it. */
  step(): void {
    if (this.#stepsLeft === 0) {
      this.#stepsLeft = -1;
      throw new Killed();
    }
    this.#stepsLeft -= 1;
  }

  readonly dir: StateDir = {
    setAside: async () => undefined,
    dir: "memory",
    writable: () => true,
    read: () => Promise.resolve(this.disk),
    write: (_name, content) => {
      this.step();
      this.disk = content;
      this.step();
      return Promise.resolve(true);
    },
  };

  readonly receiver = {
    send: ({ kind, sequence, topic, ...notice }: Notice): Promise<void> => {
      this.step();
      const event = kind === "clear" ? ("message_delete" as const) : ("message" as const);
      const { title = "", message = "", priority = 3 } = notice;
      this.messages.push({
        id: `${this.messages.length}`,
        sequence_id: sequence,
        time: 0,
        event,
        topic,
        title,
        message,
        priority,
      });
      this.step();
      return Promise.resolve();
    },
  };

  show(fields: Partial<Torrent>): void {
    const known = this.torrents.get("a".repeat(40));
    this.torrents.set("a".repeat(40), torrent({ ...known, ...fields }));
  }
}

/** The process: what `app.ts` wires, without loops. It looks and delivers until nothing is left to send. */
async function live(outside: Outside, nowMs: number): Promise<void> {
  const now = () => nowMs;
  const ledger = await openLedger(outside.dir, { nowMs, onUnusable: () => expect.unreachable("damaged") });
  const watch = new DownloadWatch({
    ledger,
    torrents: {
      torrents: outside.torrents,
      freeSpaceBytes: null,
      poll: () => Promise.resolve({ full: true, added: [], removed: [], changed: [] }),
    },
    planner: new NoticePlanner({
      ...tellAll,
      tell: { ...tellAll.tell, added: false, stalled: false, removed: false },
    }),
    now,
    inPlace: () => true,
    progressStep: 25,
    progressIntervalMs: 0,
    progressCards: 10,
    stalledAfterMs: 1e9,
    pollMs: 1000,
    discover: false,
    diskLowBytes: undefined,
    onEvent: () => {},
  });
  const pace = new Pace({ burst: 60, refillMs: 1, daily: 0 }, { nowMs });
  await watch.look(signal);
  while (ledger.outbox.size > 0) {
    await deliverNotices(
      { ledger, receiver: outside.receiver, pace, clock: { now }, onDelivery: () => {} },
      signal,
    );
  }
}

const startedMs = Date.UTC(2026, 0, 1);

/** A download in four moments. At each a process starts, as after a kill, and is killed wherever the plan says. */
async function story(killAtStep: number): Promise<Outside> {
  const outside = new Outside(killAtStep);
  const moments: Partial<Torrent>[] = [
    { state: "downloading", progress: 0.1, amount_left: 90 },
    { state: "downloading", progress: 0.6, amount_left: 40, downloaded: 60 },
    {
      state: "stalledUP",
      progress: 1,
      amount_left: 0,
      downloaded: 100,
      completion_on: startedMs / 1000 + 60,
    },
    { state: "uploading" },
  ];
  let nowMs = startedMs;
  for (const moment of moments) {
    outside.show(moment);
    nowMs += 60_000;
    try {
      await live(outside, nowMs);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      await live(outside, nowMs);
    }
  }
  return outside;
}

test("killed at any step, a download makes exactly one sound and leaves one card", async () => {
  let kills = 0;
  for (let killAtStep = 0; ; killAtStep += 1) {
    const { messages, killed } = await story(killAtStep);
    const { sounds, cards } = showOnPhone(messages);
    expect(
      sounds.map(({ title }) => title),
      `killed at step ${killAtStep}`,
    ).toEqual(["Download Complete"]);
    expect(
      cards.map(({ title }) => title),
      `killed at step ${killAtStep}`,
    ).toEqual(["Download Complete"]);
    if (!killed) break;
    kills += 1;
  }
  expect(kills).toBeGreaterThan(15);
});
