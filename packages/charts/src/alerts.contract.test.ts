import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isPromtoolMissing, runPromtool, tempDir } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { chartedApps } from "./apps.ts";
import { chartFile } from "./chart-files.ts";

type Alert = {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: { summary: string; description: string; runbook_url: string };
};
/** Series by their selectors, each with the values of one sample a minute. */
type Series = Record<string, string>;
type Scenario = { app: string; fires: Series[]; silent: Series[] };

const alerts = (
  await Promise.all(
    chartedApps.map(async ({ name }) =>
      (parse(await chartFile(`${name}/alerts.yaml`)) as Alert[]).map((alert) => ({ app: name, ...alert })),
    ),
  )
).flat();
const scenarios: Record<string, Scenario> = parse(
  await readFile(new URL("alert-scenarios.yaml", import.meta.url), "utf8"),
);

/** Where Prometheus found it: what it puts on every series by itself. */
const target = { job: "pods", instance: "10.0.0.1:9101", namespace: "media", pod: "qbittorrent-0" };

test("every alert has a scenario in which it fires and one in which it does not", () => {
  const told = Object.entries(scenarios).map(([alert, { app, fires, silent }]) => {
    return { app, alert, isWhole: fires.length > 0 && silent.length > 0 };
  });
  expect(told).toEqual(alerts.map(({ app, alert }) => ({ app, alert, isWhole: true })));
});

describe.skipIf(await isPromtoolMissing())("promtool", () => {
  test("takes the alerts of all charts as rules, and sees each fire when it should, and only then", async () => {
    await using dir = await tempDir();
    const rules = alerts.map((alert) => ({ ...alert, app: undefined }));
    await writeFile(join(dir.path, "rules.yaml"), stringify({ groups: [{ name: "all", rules }] }));
    const checked = await runPromtool(["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"], {
      dir: dir.path,
    });
    expect(checked).toContain(`SUCCESS: ${alerts.length} rules found`);
    const tests = Object.entries(scenarios).flatMap(([alert, { app, fires, silent }]) => [
      ...fires.map((series) => testOf({ alert, app, series, fires: true })),
      ...silent.map((series) => testOf({ alert, app, series, fires: false })),
    ]);
    const file = { rule_files: ["rules.yaml"], evaluation_interval: "1m", tests };
    await writeFile(join(dir.path, "tests.yaml"), stringify(file));
    await expect(runPromtool(["test", "rules", "tests.yaml"], { dir: dir.path })).resolves.toContain(
      "SUCCESS",
    );
  });
});

test.each(alerts)("$alert says whom it is about and what to do", ({ annotations }) => {
  expect(annotations.summary).toContain("{{ or $labels.pod $labels.instance }}");
  expect(annotations.description).toMatch(/^\S.{20,}\.$/);
});

type Case = { alert: string; app: string; series: Series; fires: boolean };

/** One test of promtool: it looks at the last minute that has a sample. */
function testOf({ alert, app, series, fires }: Case) {
  const all = { ...series, [`qbit_sidecars_build_info{app="${app}"}`]: "1x2000" };
  const input = Object.entries(all).map(([selector, values]) => ({ series: located(selector), values }));
  const minutes = Math.max(...Object.values(series).map(samplesIn)) - 1;
  const { labels, annotations } = alerts.find((each) => each.alert === alert) as Alert;
  // Of labels only those that the alert's series has; promtool compares all of them.
  const [selector = ""] = Object.keys(series);
  const expected = {
    exp_labels: { ...target, ...labelsOf(selector), ...labels },
    exp_annotations: filled(annotations, labelsOf(selector)),
  };
  return {
    name: `${alert} ${fires ? "fires" : "is silent"} on ${JSON.stringify(series)}`,
    interval: "1m",
    input_series: input,
    alert_rule_test: [{ eval_time: `${minutes}m`, alertname: alert, exp_alerts: fires ? [expected] : [] }],
  };
}

function located(selector: string): string {
  const [, name = "", labels = ""] = /^([a-z_]+)(?:\{(.*)\})?$/.exec(selector) ?? [];
  const where = Object.entries(target).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${[labels, ...where].filter(Boolean).join(",")}}`;
}

function labelsOf(selector: string): Record<string, string> {
  return Object.fromEntries(
    [...selector.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, label = "", value = ""]) => [label, value]),
  );
}

/** "1x10" and "0+1x10" are eleven samples each. */
function samplesIn(values: string): number {
  return values.split(" ").reduce((sum, part) => sum + Number(part.split("x")[1]) + 1, 0);
}

function filled(annotations: Alert["annotations"], labels: Record<string, string>) {
  const fill = (text: string) =>
    text
      .replaceAll("{{ or $labels.pod $labels.instance }}", target.pod)
      .replaceAll("{{ $labels.loop }}", labels["loop"] ?? "");
  return Object.fromEntries(Object.entries(annotations).map(([key, text]) => [key, fill(text)]));
}
