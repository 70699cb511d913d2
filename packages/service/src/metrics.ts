import process from "node:process";

import type {
  Counter as CounterOf,
  CounterConfiguration,
  Gauge as GaugeOf,
  GaugeConfiguration,
  Histogram as HistogramOf,
  HistogramConfiguration,
  LabelValues,
  Registry as MetricRegistry,
} from "prom-client";
// Not from the index: that loads cluster, v8 and perf_hooks for what nobody here uses, 1 MB of memory.
import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";

import { className } from "./describe-error.ts";

/** prom-client's options for a metric, minus the registry, which is always the service's own. */
type Options<C> = Omit<C, "registers">;

type CounterOptions<L extends string> = Options<CounterConfiguration<L>> & {
  /** Labels that are there from the start, at 0, so that Prometheus sees the first of each as an increase. */
  fromStart?: readonly LabelValues<L>[];
};

/**
 * The service's metrics. Thin over prom-client: the makers register into this registry, never the global one,
 * and a name asked for twice gives the same metric, so two loops can count under one name.
 */
export type Metrics = {
  readonly registry: MetricRegistry;
  counter<L extends string = never>(options: CounterOptions<L>): CounterOf<L>;
  gauge<L extends string = never>(options: Options<GaugeConfiguration<L>>): GaugeOf<L>;
  histogram<L extends string = never>(options: Options<HistogramConfiguration<L>>): HistogramOf<L>;
  /** A gauge that is read when it is scraped. */
  reading(name: string, help: string, read: () => number): void;
  /** Counts errors by their class, in the label `reason`. */
  failures(name: string, help: string): (error: unknown) => void;
};

/** A registry with build info and the few process gauges that cost nothing between scrapes. */
export function createMetrics(program: { name: string; version: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const find = ({ name }: { name: string }) => registry.getSingleMetric(name);
  const metrics: Metrics = {
    registry,
    counter({ fromStart = [], ...options }) {
      const known = find(options);
      if (known instanceof Counter) return known;
      const counter = new Counter({ ...options, registers });
      for (const labels of fromStart) counter.inc(labels, 0);
      return counter;
    },
    gauge(options) {
      const known = find(options);
      return known instanceof Gauge ? known : new Gauge({ ...options, registers });
    },
    histogram(options) {
      const known = find(options);
      return known instanceof Histogram ? known : new Histogram({ ...options, registers });
    },
    reading(name, help, read) {
      metrics.gauge({
        name,
        help,
        collect() {
          this.set(read());
        },
      });
    },
    failures(name, help) {
      const counter = metrics.counter({ name, help, labelNames: ["reason"] });
      return (error) => counter.inc({ reason: error instanceof Error ? className(error) : "unknown" });
    },
  };
  addBuildInfo(metrics, program);
  addProcessMetrics(metrics);
  return metrics;
}

function addBuildInfo(metrics: Metrics, { name, version }: { name: string; version: string }): void {
  metrics
    .gauge({
      name: "qbit_sidecars_build_info",
      help: "Always 1; the labels say which program of which version runs on which Node.",
      labelNames: ["app", "version", "node_version"],
    })
    .set({ app: name, version, node_version: process.version }, 1);
}

/**
 * Read when scraped. Not collectDefaultMetrics(): it switches on the event-loop-delay sampler, which wakes an
 * idle process about 98 times a second.
 */
function addProcessMetrics(metrics: Metrics): void {
  metrics.reading(
    "process_start_time_seconds",
    "Start time of the process since the Unix epoch in seconds.",
    () => Math.round(performance.timeOrigin / 1000),
  );
  metrics.reading("process_resident_memory_bytes", "Resident memory size in bytes.", () =>
    process.memoryUsage.rss(),
  );
  metrics.reading(
    "nodejs_heap_size_used_bytes",
    "Heap in use in bytes.",
    () => process.memoryUsage().heapUsed,
  );
  metrics.counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time spent in seconds.",
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
}
