import { Refusal_Reason as Reason, TorrentDescription, TorrentState } from "@qbit-sidecars/qbsync-protocol";
import type { Logger } from "@qbit-sidecars/service";
import { describe, expect, test } from "vitest";
import { openTorrent } from "./open-torrent.ts";
import type { SeenTorrent } from "./take-over.ts";

/** What is asked of the store for a torrent that was finished once, and that qBittorrent shows like this. */
async function openFinished(see: () => Promise<SeenTorrent | undefined>, againIfGone = true) {
  const asked: boolean[] = [];
  await openTorrent(TorrentDescription.fromPartial({ torrentId: "a", againIfGone }), {
    store: {
      get: () => undefined,
      isFinished: () => true,
      async open(description) {
        asked.push(description.againIfGone);
        return TorrentState.fromPartial({});
      },
    },
    qbittorrent: { see },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that it calls
    log: { debug() {} } as unknown as Logger,
    signal: new AbortController().signal,
  });
  return asked[0];
}

describe("a torrent that was finished once and is wanted again", () => {
  test("comes again where qBittorrent does not have it any more", async () => {
    expect(await openFinished(async () => undefined)).toBe(true);
  });

  test("stays as it is where qBittorrent has it, wherever its files are", async () => {
    expect(
      await openFinished(async () => ({ name: "film", state: "missingFiles", progress: 0, tags: [] })),
    ).toBe(false);
  });

  test("waits while qBittorrent cannot be asked", async () => {
    await expect(openFinished(() => Promise.reject(new Error("away")))).rejects.toMatchObject({
      reason: Reason.BUSY,
      retryAfterMs: 5000,
    });
  });
});

test("qBittorrent is not asked about a finished torrent that is only looked at", async () => {
  expect(await openFinished(() => Promise.reject(new Error("asked")), false)).toBe(false);
});
