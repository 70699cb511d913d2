import { tempDir } from "@qbit-sidecars/testing";
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { PieceLog } from "./piece-log.ts";

const recordBytes = 32;

async function written() {
  const dir = await tempDir();
  const path = join(dir.path, "pieces.log");
  const { log } = await PieceLog.open(path, "seed");
  await log.append({ kind: "written", piece: 1, count: 2 }, { kind: "finished" });
  await log[Symbol.asyncDispose]();
  return { path, bytes: await readFile(path), [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

test("a record of a newer version is not cut off, and neither is what is before it", async () => {
  await using at = await written();
  const record = Buffer.alloc(recordBytes);
  record.writeUInt8(200, 4);
  record.writeUInt32LE(crc32(record.subarray(4), at.bytes.readUInt32LE(recordBytes)), 0);
  const longer = Buffer.concat([at.bytes, record]);
  await writeFile(at.path, longer);
  await expect(PieceLog.open(at.path, "seed")).rejects.toThrow("a newer version");
  expect((await readFile(at.path)).equals(longer)).toBe(true);
});

test("a torn record is cut off, and what is before it holds", async () => {
  await using at = await written();
  await using file = await open(at.path, "a");
  await file.write(Buffer.alloc(recordBytes, 7));
  const { log, entries } = await PieceLog.open(at.path, "seed");
  await log[Symbol.asyncDispose]();
  expect(entries.map(({ entry }) => entry.kind)).toEqual(["written", "finished"]);
  expect((await readFile(at.path)).equals(at.bytes)).toBe(true);
});
