import { createLog, createMetrics, Health } from "@qbit-sidecars/service";
import { expect, test, vi } from "vitest";
import { addEvents } from "./events.ts";
import { buildApi } from "./build-api.ts";

test("clients that are gone before they are let in take no place from those that listen", async () => {
  const log = await createLog({ name: "test", level: "silent", format: "json", output: { write() {} } });
  const metrics = createMetrics({ name: "test", version: "1" });
  const { signal } = new AbortController();
  const letIn = Promise.withResolvers<boolean>();
  let asked = 0;
  let listeners = 0;
  const subscribe = () => {
    listeners += 1;
    return () => (listeners -= 1);
  };
  await using api = buildApi({
    endpoints: [],
    keys: {
      async accept() {
        asked += 1;
        return await letIn.promise;
      },
    },
    health: new Health({ name: "test", version: "1", metrics, log, signal }),
    metrics,
    log,
    version: "1",
    extend: (app, guard) => addEvents(app, guard, { subscribe }),
  });
  const url = `${await api.listen({ host: "127.0.0.1", port: 0 })}/api/events`;
  const impatient = new AbortController();
  const gone = Array.from({ length: 20 }, async () => await fetch(url, { signal: impatient.signal }));
  await vi.waitFor(() => expect(asked).toBe(20), 10_000);
  const sockets = async () =>
    await new Promise<number>((resolve) => api.server.getConnections((_, count) => resolve(count)));
  impatient.abort();
  await Promise.allSettled(gone);
  await vi.waitFor(async () => expect(await sockets()).toBe(0), 10_000);
  letIn.resolve(true);
  const leaving = new AbortController();
  const { status } = await fetch(url, { signal: leaving.signal });
  leaving.abort();
  expect(status).toBe(200);
  await vi.waitFor(() => expect(listeners).toBe(0), 10_000);
});
