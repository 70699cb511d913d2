import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { FinalizeResponse_Step as Step } from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent, tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { TestDestination } from "./test-destination.ts";
import { TestSource } from "./test-source.ts";

const count = process.env["QBIT_SIDECARS_LONG"] === "1" ? 100_000 : 2000;

test(
  `a torrent of ${count} files arrives, and is known again after a kill`,
  { timeout: 900_000 },
  async () => {
    await using data = await tempDir();
    await using destination = await TestDestination.start([
      `--data=${data.path}`,
      "--max-stream-buffer=32MB",
    ]);
    const made = makeTorrent({
      version: "v1",
      name: "many",
      pieceLength: 65_536,
      files: Array.from({ length: count }, (_, index) => ({
        path: `${index % 100}/${index}`,
        size: 100 + (index % 7),
      })),
    });
    {
      using source = new TestSource(destination.port);
      source.patienceMs = 400_000;
      await source.deliver(made);
    }
    await destination.restart();
    using source = new TestSource(destination.port);
    source.patienceMs = 400_000;
    expect((await source.whenNotPaused(made.torrentId)).neededCount).toBe(0);
    expect(await source.finalized(made.torrentId)).toMatchObject({ step: Step.FINISHED });
    expect((await readdir(join(data.path, "many/7"))).length).toBe(count / 100);
    for (const at of [0, 1234, count - 1]) {
      const { path, content } = made.files[at]!;
      expect((await readFile(join(data.path, path))).equals(content())).toBe(true);
    }
  },
);
