import { QueueUnavailableError } from "@qbit-sidecars/jobs";
import { createLog, createMetrics, Health } from "@qbit-sidecars/service";
import { expect, test } from "vitest";
import * as z from "zod/mini";
import { buildApi } from "./build-api.ts";
import { endpoint } from "./endpoint.ts";

const answers = { 200: { about: "ok", schema: z.unknown() } };

async function apiOf(answer: () => never) {
  const lines: Record<string, unknown>[] = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = await createLog({ name: "test", level: "info", format: "json", output });
  const metrics = createMetrics({ name: "test", version: "1" });
  const { signal } = new AbortController();
  const api = buildApi({
    endpoints: [endpoint("GET /api/jobs", { about: "", answers, answer })],
    keys: { accept: async () => true },
    health: new Health({ name: "test", version: "1", metrics, log, signal }),
    metrics,
    log,
    version: "1",
  });
  return { api, lines };
}

test("a fault of ours is 500 with a trace id that stands in the log, and says nothing of what it was", async () => {
  const { api, lines } = await apiOf(() => {
    throw new TypeError("cannot read secret of undefined");
  });
  const { statusCode, body } = await api.inject("/api/jobs");
  const answer = JSON.parse(body);
  expect([statusCode, answer]).toEqual([
    500,
    { error: "Internal Server Error", message: "An unexpected error occurred", trace_id: expect.any(String) },
  ]);
  const line = lines.find(({ traceId }) => traceId === answer.trace_id);
  expect(JSON.stringify(line)).toContain("cannot read secret of undefined");
});

test("a queue that is away is 503 with the reason and when to come back", async () => {
  const { api } = await apiOf(() => {
    throw new QueueUnavailableError("storing a job: the disk is full");
  });
  const { statusCode, headers, body } = await api.inject("/api/jobs");
  expect([statusCode, headers["retry-after"], JSON.parse(body)]).toEqual([
    503,
    "5",
    { error: "Service Unavailable", message: "storing a job: the disk is full" },
  ]);
});
