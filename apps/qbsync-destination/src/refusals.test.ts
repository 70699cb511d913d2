import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  grpcStatus,
  PieceAnswer_Outcome as Outcome,
  Refusal_Reason,
  TorrentDescription,
} from "@qbit-sidecars/qbsync-protocol";
import { QbitUnreachableError } from "@qbit-sidecars/qbit-client";
import { makeTorrent, tempDir } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { AnswerQueue } from "./answers.ts";
import { DataFolder, partsOf } from "./data-folder.ts";
import { layoutOf, pathsOf } from "./describe-torrent.ts";
import { errorCode, isFull, unlessMissing } from "./error-code.ts";
import { HandlePool } from "./handle-pool.ts";
import { refuseDryly } from "./plan-receiving.ts";
import { program } from "./program.ts";
import { RefusedError } from "./refused.ts";
import { handOffMethods } from "./serve-hand-offs.ts";
import { syncFolder } from "./sync-folder.ts";
import type { TakeOver } from "./take-over.ts";

const made = makeTorrent({
  version: "v1",
  name: "target",
  pieceLength: 16_384,
  files: [
    { path: "a", size: 50_000 },
    { path: "b/c", size: 10 },
    { path: "b/d", size: 10 },
  ],
});

const described = (change: Partial<TorrentDescription> = {}): TorrentDescription =>
  TorrentDescription.fromPartial({
    torrentId: made.torrentId,
    torrent: Uint8Array.from(made.torrent),
    ...change,
  });

describe("a description", () => {
  test.each<[string, Partial<TorrentDescription>, RegExp]>([
    ["files out of order", { unselectedFiles: [1, 0] }, /unselected files are not in ascending order/],
    ["a file twice", { unselectedFiles: [1, 1] }, /not in ascending order/],
    ["a file that it has not", { unselectedFiles: [3] }, /unselected file 3 of 3/],
    ["too many tags", { tags: Array.from({ length: 101 }, String) }, /101 tags/],
    ["a tag with a line break", { tags: ["a\nb"] }, /that no qBittorrent would have/],
    ["a category that is too long", { category: "é".repeat(501) }, /that no qBittorrent would have/],
    ["bytes that are no torrent", { torrent: Uint8Array.from([1, 2, 3]) }, /./],
    ["another torrent's id", { torrentId: "0".repeat(40) }, /not of 0000/],
  ])("with %s is refused, and it is said why", (_, change, why) => {
    expect(() => layoutOf(described(change))).toThrow(RefusedError);
    expect(() => layoutOf(described(change))).toThrow(why);
  });

  test("with two files of one path, or a file for a folder, is refused; files in one folder are not", async () => {
    await using folder = await tempDir();
    const data = await DataFolder.open(folder.path);
    const paths = (path: string) => {
      const description = described({ renamedFiles: [{ file: 0, path }] });
      return pathsOf(description, layoutOf(description), data);
    };
    expect(() => paths("target/b/c")).toThrow(/the same path/);
    expect(() => paths("target/b")).toThrow(/is a file and a folder/);
    expect(paths("target/b/e")).toEqual(["e", "c", "d"].map((name) => join(data.path, "target/b", name)));
  });

  test("in a dry run tells what would be received, and what is there already", async () => {
    await using folder = await tempDir();
    const data = await DataFolder.open(folder.path);
    await mkdir(join(folder.path, "target/b"), { recursive: true });
    await writeFile(join(folder.path, "target/a"), "of another size");
    await writeFile(join(folder.path, "target/b/c"), "0123456789");
    await expect(refuseDryly(described({ unselectedFiles: [2] }), data)).rejects.toMatchObject({
      reason: Refusal_Reason.DRY_RUN,
      message: expect.stringMatching(
        /^dry run: would receive up to 50020 bytes in 4 pieces of target, 2 of 3 files, into .*; 1 files of the right size/,
      ),
    });
    await expect(refuseDryly(described({ torrent: new Uint8Array() }), data)).rejects.toMatchObject({
      reason: Refusal_Reason.TORRENT_NEEDED,
    });
  });
});

test("a path that is too deep is refused", () => {
  expect(() => partsOf("d/".repeat(64) + "e", "the save path")).toThrow(
    "the save path is more than 64 folders deep",
  );
});

test("a data directory that is not there, or is a file, is told", async () => {
  await using folder = await tempDir();
  await expect(DataFolder.open(join(folder.path, "no"))).rejects.toThrow("it is not there; is it mounted?");
  await writeFile(join(folder.path, "file"), "");
  await expect(DataFolder.open(join(folder.path, "file"))).rejects.toThrow("is not a directory");
  await expect(DataFolder.open(join(folder.path, "file/below"))).rejects.toThrow(": ENOTDIR");
});

test("what has to be a folder and is a file, or a link to one, is in the way", async () => {
  await using folder = await tempDir();
  const data = await DataFolder.open(folder.path);
  await writeFile(join(folder.path, "file"), "");
  await expect(data.make(join(data.path, "file"))).rejects.toThrow("file is in the way: it is not a folder");
});

test("only what is missing is taken for missing", async () => {
  const failing = (code: unknown): Promise<never> => Promise.reject(Object.assign(new Error("no"), { code }));
  expect(await unlessMissing(failing("ENOENT"))).toBeUndefined();
  expect(await unlessMissing(failing("ENOTDIR"))).toBeUndefined();
  await expect(unlessMissing(failing("EACCES"))).rejects.toThrow("no");
  await expect(unlessMissing(failing(undefined))).rejects.toThrow("no");
  expect([errorCode("ENOENT"), errorCode(new Error("no")), isFull(new Error("no"))]).toEqual([
    undefined,
    undefined,
    false,
  ]);
});

test("a file that could not be opened is opened anew by the next one", async () => {
  await using pool = new HandlePool();
  await using folder = await tempDir();
  const path = join(folder.path, "a");
  let opened = 0;
  const attempt = () =>
    pool.with(
      path,
      async () => {
        opened += 1;
        return await open(path, "r");
      },
      (handle) => handle.readFile("utf8"),
    );
  await expect(attempt()).rejects.toThrow("ENOENT");
  await writeFile(path, "here");
  expect(await attempt()).toBe("here");
  // One that was used wrongly is still open.
  await expect(
    pool.with(
      path,
      () => open(path, "r"),
      () => Promise.reject(new Error("no")),
    ),
  ).rejects.toThrow("no");
  await attempt();
  expect(opened).toBe(2);
});

test("a file that is opened when all were closed is closed after its use", async () => {
  await using folder = await tempDir();
  const path = join(folder.path, "late");
  const pool = new HandlePool();
  await pool[Symbol.asyncDispose]();
  const handle = await open(path, "w");
  await pool.with(
    path,
    async () => handle,
    (late) => late.writeFile("late"),
  );
  expect(handle.fd).toBe(-1);
});

test("a source that does not read its answers is waited for, and then hears all of them in one message", async () => {
  const written: number[] = [];
  let drained = (): void => {};
  const queue = new AnswerQueue({
    write: ({ pieces }) => written.push(pieces.flatMap((answer) => answer.pieces).length) > 1,
    once: (_, listener) => (drained = listener),
  });
  queue.add("t", 0, { outcome: Outcome.WRITTEN });
  await new Promise(setImmediate);
  queue.add("t", 1, { outcome: Outcome.WRITTEN });
  queue.add("t", 2, { outcome: Outcome.DURABLE });
  await new Promise(setImmediate);
  expect(written).toEqual([1]);
  let isReady = false;
  const ready = queue.ready().then(() => (isReady = true));
  await new Promise(setImmediate);
  expect(isReady).toBe(false);
  drained();
  await ready;
  expect(written).toEqual([1, 2]);
  queue.close();
  queue.add("t", 3, { outcome: Outcome.WRITTEN });
  queue.pause({ torrentId: "t", pause: undefined });
  await new Promise(setImmediate);
  expect(written).toEqual([1, 2]);
});

test("the word of the other image is told to be that", async () => {
  let said = "";
  const output = { write: (text: string) => (said += text) };
  const process = {
    argv: ["node", "main.ts", "source"],
    env: {},
    stdout: output,
    stderr: output,
    exitCode: undefined as number | string | null | undefined,
    on() {},
    exit() {},
  };
  await program(process);
  expect(process.exitCode).toBe(2);
  expect(said).toContain("`source` is what the image qbsync-source does");
});

test("hand-offs without a qBittorrent are not here; one that is away is a reason to ask again, and nothing else is", async () => {
  const ask = async (takeOver: Pick<TakeOver, "look"> | undefined) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const answer: Parameters<typeof handOffMethods>[1] = async (task) => {
      resolve(await task().catch((error: unknown) => error));
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of it that is called
    const { lookAtSeeding } = handOffMethods(takeOver as TakeOver | undefined, answer, () => "");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of a call that is read
    const call = { request: { torrentId: made.torrentId } } as Parameters<typeof lookAtSeeding>[0];
    lookAtSeeding(call, (error, value) => resolve(error ?? value));
    return await promise;
  };
  expect(await ask(undefined)).toMatchObject({ code: grpcStatus.UNIMPLEMENTED });
  const away = new QbitUnreachableError("connection refused", { reason: "refused" });
  expect(await ask({ look: () => Promise.reject(away) })).toMatchObject({
    code: grpcStatus.UNAVAILABLE,
    details: "the destination's qBittorrent cannot be asked: connection refused",
  });
  const wrong = new Error("a fault of ours");
  expect(await ask({ look: () => Promise.reject(wrong) })).toBe(wrong);
});

test("the names in a folder that is gone need no sync", async () => {
  await using folder = await tempDir();
  await syncFolder(folder.path);
  await expect(syncFolder(join(folder.path, "gone"))).resolves.toBeUndefined();
});
