/** One graph of a dashboard. */
export type Panel = {
  readonly title: string;
  readonly query: string;
  readonly legend?: string;
  readonly unit?: string;
};

const datasource = { type: "prometheus", uid: "${datasource}" };

/** What every app tells. */
const process: readonly Panel[] = [
  { title: "Memory", query: "process_resident_memory_bytes{$chosen}", unit: "bytes" },
  { title: "Processor", query: "rate(process_cpu_seconds_total{$chosen}[5m])", unit: "percentunit" },
];

/** And what those tell that reconcile; those that work through a queue of jobs do not. */
const loops: readonly Panel[] = [
  { title: "Converged", query: "reconcile_converged{$chosen}", legend: "{{loop}}" },
  {
    title: "Steps in five minutes",
    query: "sum by (loop, outcome) (increase(reconcile_steps_total{$chosen}[5m]))",
    legend: "{{loop}}: {{outcome}}",
  },
];

/** A Grafana dashboard with the app's own graphs first. `$chosen` in a query stands for the chosen pods. */
export function dashboard(app: string, panels: readonly Panel[]): object {
  const everyApp = app.startsWith("rules-") ? process : [...loops, ...process];
  const chosen = 'namespace=~"$namespace", pod=~"$pod"';
  return {
    title: `qbit-sidecars / ${app}`,
    uid: `qbit-sidecars-${app}`,
    tags: ["qbit-sidecars"],
    schemaVersion: 39,
    refresh: "30s",
    time: { from: "now-24h", to: "now" },
    templating: { list: [{ name: "datasource", type: "datasource", query: "prometheus" }, ...choices(app)] },
    panels: [...panels, ...everyApp].map(({ title, query, legend = "{{pod}}", unit = "short" }, index) => ({
      id: index + 1,
      type: "timeseries",
      title,
      datasource,
      gridPos: { h: 8, w: 12, x: (index % 2) * 12, y: Math.floor(index / 2) * 8 },
      fieldConfig: { defaults: { unit }, overrides: [] },
      targets: [{ refId: "A", datasource, expr: query.replaceAll("$chosen", chosen), legendFormat: legend }],
    })),
  };
}

/** Pods are found by the one metric that says which app they are. */
function choices(app: string) {
  const info = `qbit_sidecars_build_info{app="${app}"}`;
  const choice = { type: "query", datasource, refresh: 2, includeAll: true, multi: true };
  return [
    { ...choice, name: "namespace", query: `label_values(${info}, namespace)` },
    { ...choice, name: "pod", query: `label_values(${info}, pod)` },
  ];
}
