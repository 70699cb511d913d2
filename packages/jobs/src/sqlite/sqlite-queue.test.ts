import { tempDir } from "@qbit-sidecars/testing";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, vi } from "vitest";
import { openQueue } from "../open-queue.ts";
import { describeQueue } from "../queue-conformance.ts";

vi.setConfig({ testTimeout: 60_000 });

const randomRuns = process.env.QBIT_SIDECARS_LONG === "1" ? 1_000 : 40;

describe("a queue in SQLite", () => {
  describeQueue(
    async () => {
      const dir = await tempDir("jobs-");
      const path = join(dir.path, "qbt-rules.db");
      return {
        open: async (options) => await openQueue({ ...options, backend: "sqlite", path }),
        crash: async (queue) => await queue[Symbol.asyncDispose](),
        advance: async (clock, ms) => await clock.advance(ms),
        async setInterruptions(id, count) {
          const copy = new DatabaseSync(path);
          copy.prepare("UPDATE jobs SET interrupted = ? WHERE id = ?").run(count, id);
          copy.close();
        },
        [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose](),
      };
    },
    { randomRuns },
  );
});
