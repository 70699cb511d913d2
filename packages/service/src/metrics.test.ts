import { register } from "prom-client";
import { expect, test } from "vitest";

import { createMetrics } from "./metrics.ts";

const create = () => createMetrics({ name: "port-sync", version: "1.2.3" });

test("says which program of which version runs on which Node", async () => {
  const text = await create().registry.metrics();
  expect(text).toContain(
    `qbit_sidecars_build_info{app="port-sync",version="1.2.3",node_version="${process.version}"} 1`,
  );
});

test.each([
  "process_start_time_seconds",
  "process_resident_memory_bytes",
  "process_cpu_seconds_total",
  "nodejs_heap_size_used_bytes",
])("reads %s when it is scraped", async (name) => {
  const text = await create().registry.metrics();
  expect(Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1])).toBeGreaterThan(0);
});

test("two services in one process do not share a registry, nor use the global one", async () => {
  const [one, two] = [create(), create()];
  one.counter({ name: "syncs_total", help: "x" }).inc();
  expect(await two.registry.metrics()).not.toContain("syncs_total");
  expect(await register.metrics()).not.toContain("syncs_total");
});

test("labels that are known beforehand begin at 0, once", async () => {
  const metrics = create();
  const syncs = () =>
    metrics.counter({
      name: "syncs_total",
      help: "x",
      labelNames: ["result"],
      fromStart: [{ result: "done" }, { result: "failed" }],
    });
  expect(await metrics.registry.metrics()).not.toContain("syncs_total");
  syncs().inc({ result: "done" });
  syncs();
  const text = await metrics.registry.metrics();
  expect(text).toContain('syncs_total{result="done"} 1');
  expect(text).toContain('syncs_total{result="failed"} 0');
});

test("errors are counted by their class", async () => {
  const metrics = create();
  const count = metrics.failures("failures_total", "x");
  for (const error of [new TypeError("a"), new RangeError("b"), new RangeError("c"), "d"]) count(error);
  const text = await metrics.registry.metrics();
  expect(text).toContain('failures_total{reason="TypeError"} 1');
  expect(text).toContain('failures_total{reason="RangeError"} 2');
  expect(text).toContain('failures_total{reason="unknown"} 1');
});

test("a name asked for twice is one metric, and of one kind only", async () => {
  const metrics = create();
  metrics.counter({ name: "syncs_total", help: "x" }).inc();
  metrics.counter({ name: "syncs_total", help: "x" }).inc();
  expect(await metrics.registry.metrics()).toContain("syncs_total 2");
  metrics.gauge({ name: "torrents", help: "x" }).inc();
  metrics.gauge({ name: "torrents", help: "x" }).inc();
  const seconds = { name: "sync_seconds", help: "x", buckets: [1] };
  for (const took of [0.5, 2]) metrics.histogram(seconds).observe(took);
  expect(await metrics.registry.metrics()).toMatch(/^torrents 2$[^]*^sync_seconds_count 2$/mu);
  expect(() => metrics.gauge({ name: "syncs_total", help: "x" })).toThrow("syncs_total");
});
