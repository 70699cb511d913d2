import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import type { ByteRange } from "./file-bytes.ts";
import { takeIn } from "./fragments.ts";

/** Digits are bytes, "." is a hole. */
const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll(".", "\0"));

type Case = [string, mine: [string, ByteRange[]], theirs: [string, ByteRange[]], made: string | undefined];

test.each<Case>([
  ["the whole file, and its head", ["12345678", [[0, 8]]], ["12......", [[0, 2]]], "12345678"],
  ["the head, and the tail", ["12......", [[0, 2]]], ["......78", [[6, 8]]], "12....78"],
  ["the same part twice", ["12......", [[0, 2]]], ["12......", [[0, 2]]], "12......"],
  ["parts that overlap", ["123.....", [[0, 3]]], [".2345...", [[1, 5]]], "12345..."],
  ["a fragment that was filled since", ["12......", [[0, 2]]], ["12345678", [[6, 8]]], "12345678"],
  ["another head", ["12345678", [[0, 8]]], ["13......", [[0, 2]]], undefined],
  ["zeros that are no hole", ["12345678", [[0, 8]]], ["1.......", [[0, 2]]], undefined],
  ["other content between", ["12345678", [[0, 8]]], ["12..9...", [[0, 2]]], undefined],
])("of %s a file is made that serves both, if there can be one", async (...[, mine, theirs, made]) => {
  await using folder = await tempDir();
  const [minePath, theirPath] = ["mine", "theirs"].map((name) => join(folder.path, name));
  await writeFile(minePath!, bytesOf(mine[0]));
  await writeFile(theirPath!, bytesOf(theirs[0]));
  await using mineFile = await open(minePath!, "r+");
  await using theirFile = await open(theirPath!, "r");
  const isTaken = await takeIn({ file: mineFile, parts: mine[1] }, { file: theirFile, parts: theirs[1] }, 8);
  expect(isTaken ? await readFile(minePath!) : undefined).toEqual(made && bytesOf(made));
});
