import type { Torrent } from "@qbit-sidecars/qbit-client";
import {
  type Answers,
  PieceAnswer_Outcome as Outcome,
  type PieceChunk,
  TorrentDescription,
} from "@qbit-sidecars/qbsync-protocol";
import { readLayout } from "@qbit-sidecars/qbsync-protocol/layout";
import { FakeClock, makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Connection } from "./destination.ts";
import { Link } from "./link.ts";
import { PieceSender } from "./send-pieces.ts";
import { TokenBucket } from "./token-bucket.ts";
import { allPieces, TrackedTorrent } from "./tracked-torrent.ts";

/** 1 GB beside 100 GB and a window of 64 MiB, 1 : 1000. */
const sizes = { small: 1_000_000, large: 100_000_000, window: 65_536 };
const pieceLength = 16_384;

const madeOf = (name: string, size: number) =>
  makeTorrent({ version: "v1", name, seed: name, pieceLength, files: [{ path: `${name}.bin`, size }] });
const made = { small: madeOf("small", sizes.small), large: madeOf("large", sizes.large) };

let folder: Awaited<ReturnType<typeof tempDir>>;

beforeAll(async () => {
  folder = await tempDir();
  await Promise.all(Object.values(made).map((one) => one.write(folder.path)));
});

afterAll(() => folder[Symbol.asyncDispose]());

/** It is open at the destination, which has nothing of it. */
function opened({ torrentId, torrent, files }: (typeof made)["small"], isLive: boolean): TrackedTorrent {
  const state = isLive ? "downloading" : "stalledUP";
  const fields = { hash: torrentId, name: torrentId, progress: 1, state, tags: "", size: 1 };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of a torrent that is looked at
  const tracked = new TrackedTorrent(fields as Torrent);
  const layout = readLayout(torrent);
  const description = TorrentDescription.fromPartial({ torrentId });
  const names = files.map(({ path }) => path);
  tracked.take({ description, torrent, digest: Buffer.alloc(0), layout, names }, [folder.path], 0);
  tracked.progress?.setAvailable(allPieces(layout.pieceCount));
  tracked.progress?.setNeeded(allPieces(layout.pieceCount));
  tracked.isOpen = true;
  return tracked;
}

/** A network that carries one chunk after the other, and a destination that stores what comes. Counts in bytes. */
class Pipe {
  carriedBytes = 0;
  readonly #queue: (() => void)[] = [];
  #isCarrying = false;

  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that a Link asks of one
  readonly connection = {
    terms: { instanceId: "one", chunkBytes: pieceLength, maxStreams: 4, maxOpenPieces: 64 },
    async *query() {},
    send: ({ answers }: Parameters<Connection["send"]>[0]) => ({
      isOpen: true,
      write: (chunk: PieceChunk) => this.#write(chunk, answers),
      close() {},
    }),
    [Symbol.dispose]() {},
  } as unknown as Connection;

  async #write({ torrentId, piece, data }: PieceChunk, answer: (answers: Answers) => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue.push(() => {
      this.carriedBytes += data.length;
      const told = { torrentId, pieces: [piece], detail: "" };
      answer({ pieces: [{ ...told, outcome: Outcome.DURABLE }], pauses: [] });
      resolve();
    });
    this.#carry();
    await promise;
  }

  #carry(): void {
    if (this.#isCarrying || this.#queue.length === 0) return;
    this.#isCarrying = true;
    // Slower than whatever reads pieces from the disk.
    setTimeout(() => {
      this.#isCarrying = false;
      this.#queue.shift()?.();
      this.#carry();
    }, 1);
  }
}

/** How many bytes the network carries from when the small torrent comes until all of it is there. */
async function bytesUntilDone(beside: "nothing" | "live" | "backlog", isSmallLive = false): Promise<number> {
  const pipe = new Pipe();
  const clock = new FakeClock();
  const stop = new AbortController();
  const torrents = new Map<string, TrackedTorrent>();
  const small = opened(made.small, isSmallLive);
  let sender: PieceSender | undefined;
  let doneAt: number | undefined;
  using link = new Link({
    dial: async () => pipe.connection,
    minConnections: 1,
    onAnswers(answers) {
      sender?.hear(answers);
      if (small.progress?.isDelivered === true) doneAt ??= pipe.carriedBytes;
    },
    onLaneLost() {},
    onDown() {},
  });
  await link.connect();
  sender = new PieceSender(link, {
    torrents,
    tags: { synced: "", syncFailed: "", excludeSync: "" },
    numSenders: 4,
    windowBytes: sizes.window,
    pieceTimeoutMs: 1e9,
    limits: { all: new TokenBucket(0, clock), backlog: new TokenBucket(0, clock) },
    clock,
    signal: stop.signal,
    on: { sent() {}, answered() {}, unreadable() {}, stale() {}, changed() {} },
  });
  if (beside !== "nothing") {
    torrents.set(made.large.torrentId, opened(made.large, beside === "live"));
    sender.pump();
    await waitFor(() => pipe.carriedBytes > 2 * sizes.window, { what: "the large one to fill the network" });
  }
  torrents.set(small.id, small);
  const before = pipe.carriedBytes;
  sender.pump();
  const until = await waitFor(() => doneAt, { what: "the small one", timeoutMs: 20_000 });
  stop.abort();
  return until - before;
}

test("alone, a torrent takes as many bytes as it has", async () => {
  expect(await bytesUntilDone("nothing")).toBe(sizes.small);
});

test.each([
  ["of the backlog beside another one of it", false],
  ["that is live beside backlog", true],
])(
  "a torrent %s, a hundred times its size, ends within 2.5 times what it takes alone",
  async (_, isSmallLive) => {
    expect(await bytesUntilDone("backlog", isSmallLive)).toBeLessThan(2.5 * sizes.small);
  },
);

test("a backlog beside what is live goes on as well", async () => {
  expect(await bytesUntilDone("live")).toBeLessThan(4.5 * sizes.small);
});
