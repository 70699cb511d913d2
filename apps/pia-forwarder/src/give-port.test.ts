import type { PortChange } from "@qbit-sidecars/service";
import { describe, expect, test } from "vitest";
import { GivePort } from "./give-port.ts";
import type { HeldPort } from "./hold-port.ts";

const { signal } = new AbortController();

function giving(options: { withoutQbittorrent?: boolean } = {}) {
  const at = {
    held: { port: 51_813, announcement: 1 } as HeldPort | undefined,
    listening: 6881,
    file: undefined as number | undefined,
    rebinds: 0,
    disconnected: false,
    nowMs: 0,
    given: [] as number[],
    changes: [] as PortChange[],
    deaf: false,
    full: false,
  };
  const give = new GivePort({
    held: () => at.held,
    onGiven: (port) => at.given.push(port),
    listener: options.withoutQbittorrent
      ? undefined
      : {
          isDeaf: () => Promise.resolve(at.disconnected),
          listenOn({ port, rebind }) {
            if (at.deaf) return Promise.reject(new Error("qBittorrent is away"));
            const before = at.listening;
            at.listening = port;
            at.rebinds += Number(rebind);
            const set = before === port ? ("unchanged" as const) : ("set" as const);
            return Promise.resolve({ outcome: rebind ? ("rebound" as const) : set, before });
          },
        },
    noticeboard: {
      write(port) {
        if (at.full) return Promise.reject(new Error("the disk is full"));
        at.file = port;
        return Promise.resolve();
      },
    },
    now: () => at.nowMs,
  });
  give.changes.onChange((change) => at.changes.push(change));
  return { at, give };
}

describe("giving the port over", () => {
  test("both are told, and it is said when both have it", async () => {
    const { at, give } = giving();
    await give.step(signal);
    expect(at).toMatchObject({ listening: 51_813, file: 51_813, rebinds: 0, given: [51_813] });
    expect(at.changes).toMatchObject([{ from: 6881, to: 51_813, kind: "set" }]);
  });

  test("the same port after an interruption is taken anew, once", async () => {
    const { at, give } = giving();
    await give.step(signal);
    at.held = { port: 51_813, announcement: 2 };
    await give.step(signal);
    await give.step(signal);
    expect(at.rebinds).toBe(1);
    expect(at.changes.at(-1)).toMatchObject({ from: 51_813, to: 51_813, kind: "rebind" });
  });

  test("a qBittorrent that is away keeps nobody else from being told, and has not been given the port", async () => {
    const { at, give } = giving();
    at.deaf = true;
    await expect(give.step(signal)).rejects.toThrow("away");
    expect(at).toMatchObject({ file: 51_813, given: [] });
    at.full = true;
    await expect(give.step(signal)).rejects.toThrow(/away.*full|full.*away/u);
    at.deaf = false;
    await expect(give.step(signal)).rejects.toThrow("full");
    expect(at).toMatchObject({ listening: 51_813, given: [] });
  });

  test("one that says it does not listen is made to, after a minute and then ever less often", async () => {
    const { at, give } = giving();
    at.disconnected = true;
    const minutes: number[] = [];
    for (let minute = 0; minute <= 130; minute += 1) {
      at.nowMs = minute * 60_000;
      const before = at.rebinds;
      await give.step(signal);
      if (at.rebinds > before) minutes.push(minute);
    }
    expect(minutes).toEqual([1, 3, 7, 15, 31, 61, 91, 121]);
    expect(at.changes.at(-1)).toMatchObject({ kind: "rebind", why: "qBittorrent did not listen" });
    at.disconnected = false;
    await give.step(signal);
    at.disconnected = true;
    at.nowMs += 60_000;
    await give.step(signal);
    expect(at.rebinds).toBe(8);
  });

  test("a lost port empties the file and leaves qBittorrent alone", async () => {
    const { at, give } = giving();
    await give.step(signal);
    at.held = undefined;
    await give.step(signal);
    expect(at).toMatchObject({ listening: 51_813, file: undefined });
  });

  test("without qBittorrent the file's changes are told", async () => {
    const { at, give } = giving({ withoutQbittorrent: true });
    await give.step(signal);
    await give.step(signal);
    at.held = { port: 2, announcement: 2 };
    await give.step(signal);
    expect(at.changes.map(({ from, to }) => [from, to])).toEqual([
      [0, 51_813],
      [51_813, 2],
    ]);
  });
});
