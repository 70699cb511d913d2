import { FakeClock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { QbittorrentWatch } from "./qbittorrent-watch.ts";

test("a qBittorrent whose name nobody resolves in time is one that is not there, not a fault of ours", async () => {
  const probe = async (options?: { signal?: AbortSignal }): Promise<never> =>
    await new Promise((_, reject) =>
      options?.signal?.addEventListener("abort", () => reject(options.signal?.reason), { once: true }),
    );
  const watch = new QbittorrentWatch({ probe }, { clock: new FakeClock(), waitMs: 5 });
  await expect(watch.look()).resolves.toEqual({
    connected: false,
    version: null,
    webApi: null,
    message: "it did not answer within 0.01 s",
  });
});

test("what fails otherwise is not hidden", async () => {
  const probe = async (): Promise<never> => {
    throw new TypeError("ours");
  };
  await expect(new QbittorrentWatch({ probe }, { clock: new FakeClock() }).look()).rejects.toThrow("ours");
});
