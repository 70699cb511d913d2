import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import {
  grpcStatus,
  PieceAnswer_Outcome as Outcome,
  Refusal_Reason,
  TorrentDescription,
} from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DataFolder, partsOf } from "./data-folder.ts";
import { layoutOf as checkedLayoutOf, pathsOf } from "./describe-torrent.ts";
import { PieceLog } from "./piece-log.ts";
import { RefusedError } from "./refused.ts";
import { TestDestination } from "./test-destination.ts";
import { TestSource } from "./test-source.ts";

vi.setConfig({ testTimeout: 60_000 });

const made = makeTorrent({
  version: "v1",
  name: "target",
  files: [
    { path: "a", size: 50_000 },
    { path: "b", size: 10 },
  ],
});

const nastyPart = fc.oneof(
  fc.constantFrom(
    "..",
    ".",
    "",
    ".qbsync",
    "a\0b",
    "a\nb",
    "x".repeat(256),
    "é".repeat(200),
    "/",
    "\ud800",
    "~",
    "-rf",
    "nul",
    "a b",
  ),
  fc.string(),
);
const nastyPath = fc.oneof(
  fc.array(nastyPart, { maxLength: 6 }).map((parts) => parts.join("/")),
  fc.constantFrom(
    "/etc/passwd",
    "../../up",
    "a/../../b",
    "a//b",
    "a/",
    "/",
    "\0",
    "a/./b",
    ".qbsync/x",
    "d/".repeat(3000),
  ),
);

describe("paths", () => {
  test("that others send lead nowhere but below the data directory, or are refused", async () => {
    await using folder = await tempDir();
    const data = await DataFolder.open(folder.path);
    fc.assert(
      fc.property(nastyPath, (path) => {
        const resolved = orRefused(() => data.resolve(partsOf(path, "a path")));
        if (resolved instanceof RefusedError) return;
        expect(resolved.startsWith(`${data.path}/`)).toBe(true);
        expect(resolved.startsWith(data.stateDir)).toBe(resolved.startsWith(`${data.path}/.qbsync`));
        expect(resolved).not.toMatch(/\/\.\.?(\/|$)|\0/);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["..", "/abs", "a/../b", "a//b", "", "a/", "./a", "a\0", ".qbsync/x"])(
    "such as %j are refused",
    async (path) => {
      await using folder = await tempDir();
      const data = await DataFolder.open(folder.path);
      const description = TorrentDescription.fromPartial({
        torrentId: made.torrentId,
        torrent: Uint8Array.from(made.torrent),
        renamedFiles: [{ file: 0, path }],
      });
      const layout = checkedLayoutOf(description);
      expect(() => pathsOf(description, layout, data)).toThrow(RefusedError);
    },
  );

  test("of two files that are in each other's way are refused", async () => {
    await using folder = await tempDir();
    const data = await DataFolder.open(folder.path);
    for (const path of ["target/b", "target/b/c"]) {
      const description = TorrentDescription.fromPartial({ renamedFiles: [{ file: 0, path }] });
      expect(() =>
        pathsOf(
          description,
          checkedLayoutOf({ ...description, torrentId: made.torrentId, torrent: made.torrent }),
          data,
        ),
      ).toThrow(RefusedError);
    }
  });
});

describe("descriptions", () => {
  test("that do not fit the torrent are refused and never crash anything", () => {
    fc.assert(
      fc.property(
        fc.record({
          torrentId: fc.oneof(fc.constant(made.torrentId), fc.string()),
          torrent: fc.oneof(
            fc.constant(Uint8Array.from(made.torrent)),
            fc.uint8Array({ maxLength: 400 }),
            fc.tuple(fc.nat(made.torrent.length - 1), fc.nat(255)).map(([at, byte]) => {
              const changed = Uint8Array.from(made.torrent);
              changed[at] = byte;
              return changed;
            }),
          ),
          unselectedFiles: fc.array(fc.nat(2 ** 32 - 1), { maxLength: 4 }),
          category: fc.string(),
          tags: fc.array(fc.string(), { maxLength: 4 }),
        }),
        (some) => {
          const description = TorrentDescription.fromPartial(some);
          const layout = orRefused(() => checkedLayoutOf(description));
          if (layout instanceof RefusedError) return;
          expect(layout.torrentId).toBe(description.torrentId);
          expect(description.unselectedFiles.every((file) => file < layout.files.length)).toBe(true);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

describe("a piece log", () => {
  test("of any bytes opens, and gives no more than what was written", async () => {
    await using folder = await tempDir();
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(20),
        fc.uint8Array({ maxLength: 100 }),
        fc.nat(40),
        async (count, garbage, cut) => {
          number += 1;
          const path = join(folder.path, String(number));
          {
            await using first = (await PieceLog.open(path, "seed")).log;
            for (let piece = 0; piece < count; piece += 1)
              await first.append({ kind: "written", piece, count: 1 });
          }
          const bytes = await readFile(path);
          await writeFile(path, Buffer.concat([bytes.subarray(0, Math.max(0, bytes.length - cut)), garbage]));
          const { log, entries } = await PieceLog.open(path, "seed");
          await using _log = log;
          expect(entries.map(({ entry }) => ("piece" in entry ? entry.piece : -1))).toEqual(
            Array.from({ length: entries.length }, (_, piece) => piece),
          );
          expect(entries.length).toBeGreaterThanOrEqual(count - Math.ceil(cut / 32));
          const other = await PieceLog.open(path, "another torrent");
          await other.log[Symbol.asyncDispose]();
          expect(other.entries).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("a running destination", () => {
  let destination: TestDestination;
  let data: Awaited<ReturnType<typeof tempDir>>;

  beforeAll(async () => {
    data = await tempDir();
    destination = await TestDestination.start([`--data=${data.path}`]);
  });
  afterAll(async () => {
    await destination?.[Symbol.asyncDispose]();
    await data?.[Symbol.asyncDispose]();
  });

  test("answers any chunk, whatever its numbers are, and still takes good ones after that", async () => {
    using source = new TestSource(destination.port);
    await source.mustOpen(made);
    await source.whenNotPaused(made.torrentId);
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          torrentId: fc.oneof(fc.constant(made.torrentId), fc.string()),
          piece: fc.oneof(fc.nat(5), fc.nat(2 ** 32 - 1)),
          offset: fc.oneof(fc.constant(0), fc.nat(2 ** 32 - 1)),
          data: fc.uint8Array({ maxLength: 20_000 }),
        }),
        (chunk) => source.chunk(chunk),
      ),
      { numRuns: 300 },
    );
    await source.send(made, 0);
    await waitFor(() => source.all(made, 0).includes(Outcome.DURABLE), {
      what: "a good piece to be durable",
    });
    expect((await source.state(made.torrentId)).neededCount).toBe(3);
  });

  test("refuses another torrent's .torrent, ids that are none, and what is no message", async () => {
    using source = new TestSource(destination.port);
    for (const torrentId of ["..", "a".repeat(40), "", "A".repeat(40), `${"a".repeat(39)}/`])
      expect(await source.open({ torrent: made.torrent, torrentId })).toMatchObject({
        result: { $case: "refusal", refusal: { reason: Refusal_Reason.INVALID } },
      });
    await expect(source.openBytes(Buffer.from("\xff\xff\xff no message", "latin1"))).rejects.toMatchObject({
      code: grpcStatus.INVALID_ARGUMENT,
    });
    const folders = (await readdir(join(data.path, ".qbsync"), { withFileTypes: true })).filter((one) =>
      one.isDirectory(),
    );
    expect(folders.map(({ name }) => name)).toEqual([made.torrentId]);
  });

  test("opens no more streams than it said", async () => {
    await waitFor(async () => (await destination.metric("qbsync_streams")) === 0, {
      what: "earlier streams to end",
    });
    const sources = Array.from({ length: 10 }, () => new TestSource(destination.port));
    const { limits } = await sources[0]!.hello();
    for (const source of sources)
      await source.chunk({ torrentId: "x", piece: 0, offset: 0, data: new Uint8Array(1) });
    await vi.waitFor(
      () => expect(sources.filter(({ broken }) => broken)).toHaveLength(10 - limits!.maxStreams),
      10_000,
    );
    for (const source of sources) source[Symbol.dispose]();
  });
});

function orRefused<T>(task: () => T): T | RefusedError {
  try {
    return task();
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}
