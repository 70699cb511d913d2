import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DeclaredSetting, readCommandLine } from "@qbit-sidecars/config";
import { isHelmMissing, tempDir } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { type ChartedApp, chartedApps, keyPathOf, variableOf } from "./apps.ts";
import { environmentOf, readMountedFile } from "./container-environment.ts";
import { containersOf } from "./manifest.ts";
import { podOf, render } from "./render.ts";

type Case = {
  /** What is awkward about it. */
  readonly name: string;
  /** A setting of this sort is written so. */
  readonly sort: "text" | "toggle" | "duration" | "choice" | "number" | "size" | "list";
  readonly written: string;
  /** Undefined: Helm takes it, and the app finds what a config file with the same text would tell it. */
  readonly refused?: RegExp;
};

/** Helm reads YAML 1.1 and keeps numbers as floats; Kubernetes reads $(X); the app reads YAML 1.2. */
const cases: readonly Case[] = [
  { name: "quotes", sort: "text", written: `'it''s "quoted" \\ and \`so\`'` },
  { name: "what Kubernetes would expand", sort: "text", written: "$HOME $(HEALTH_ADDR) $$(X) $$$ a$" },
  { name: "what a template would expand", sort: "text", written: `"{{ .Values.x }} {{name}} {hash}"` },
  { name: "several lines", sort: "text", written: "|\n  first: line\n    second\n\n  # third\n" },
  { name: "a folded text", sort: "text", written: ">-\n  one\n  two\n" },
  { name: "every script", sort: "text", written: "Größe – 漢字 🎬 עברית" },
  { name: "blanks at both ends", sort: "text", written: `"  x  "` },
  { name: "nothing", sort: "text", written: `""` },
  { name: "null", sort: "text", written: "null" },
  { name: "no value at all", sort: "toggle", written: "" },
  {
    name: "a word that YAML 1.1 takes for a boolean",
    sort: "text",
    written: "yes",
    refused: /got boolean, want/,
  },
  { name: "a number for a text", sort: "text", written: "0123456", refused: /got number, want/ },
  { name: "on", sort: "toggle", written: "on" },
  { name: "yes", sort: "toggle", written: "yes" },
  { name: "a quoted yes", sort: "toggle", written: `"yes"`, refused: /got string, want/ },
  { name: "a duration of two units", sort: "duration", written: "1m30s" },
  { name: "a bare duration", sort: "duration", written: "90" },
  { name: "a quoted bare duration", sort: "duration", written: `"90"` },
  { name: "a fraction of a duration", sort: "duration", written: "1.5m" },
  { name: "no duration", sort: "duration", written: "soon", refused: /'soon' does not match/ },
  { name: "a word in capitals", sort: "choice", written: "JSON", refused: /value must be one of/ },
  { name: "a number", sort: "number", written: "12" },
  { name: "a number as a text", sort: "number", written: `"12"`, refused: /got string, want/ },
  { name: "a large number", sort: "size", written: "123456789" },
  { name: "a number that Helm writes 1e+09", sort: "size", written: "1000000000" },
  { name: "a size with its unit", sort: "size", written: "12GiB" },
  { name: "a list", sort: "list", written: "[a, b c, 'd''e', ünï]" },
  { name: "an empty list", sort: "list", written: "[]", refused: /minItems/ },
  { name: "a list with a comma inside", sort: "list", written: `["a,b"]`, refused: /does not match pattern/ },
];

/** Settings of each sort, all apps having the first four. */
const representatives: Readonly<Record<Case["sort"], readonly string[]>> = {
  text: ["qbitUser"],
  toggle: ["qbitInsecureSkipVerify"],
  duration: ["qbitTimeout"],
  choice: ["logFormat"],
  number: ["portIndex", "progressStep", "serverWorkers", "numSenders", "streamWorkers"],
  size: ["rateLimit", "maxStreamBuffer"],
  list: ["categories"],
};

const runs = chartedApps.flatMap((app) =>
  cases.flatMap((one) => {
    const setting = app.configurable.find(({ name }) => representatives[one.sort].includes(name));
    return setting ? [{ app: app.name, charted: app, setting, ...one }] : [];
  }),
);

describe.skipIf(await isHelmMissing())("values and config files say the same", () => {
  test.for(runs.filter(({ refused }) => !refused))("$app: $name", async ({ charted, setting, written }) => {
    const config = nested(keyPathOf(setting), written);
    expect(await toldByHelm(charted, config)).toEqual(await toldByFile(charted, config));
  });

  test.for(runs.filter(({ refused }) => refused))(
    "$app: $name is refused by Helm, with the key",
    async ({ charted, setting, written, refused }) => {
      const told = toldByHelm(charted, nested(keyPathOf(setting), written));
      await expect(told).rejects.toThrow(refused);
      await expect(told).rejects.toThrow(`/config/${keyPathOf(setting).join("/")}`);
    },
  );

  test.for(chartedApps)("$name is tried with ten awkward files at least", ({ name }) => {
    expect(runs.filter(({ app }) => app === name).length).toBeGreaterThanOrEqual(10);
  });
});

/** What is told besides, always by the chart. */
function around({ name, secrets }: ChartedApp) {
  const notUrls = secrets.filter(({ kind }) => kind.secret);
  const values = Object.fromEntries(notUrls.map((setting) => [variableOf(setting), secretFor(setting)]));
  const required: Record<string, object> = {
    "pia-forwarder": { pia_username: "p1234567" },
    "qbsync-source": { destination_addr: "10.0.0.1:50051" },
    "rules-worker": { queue: { redis_url: "redis://valkey:6379/0" } },
  };
  const rules = name.startsWith("rules-") ? { rules: { content: "rules: []" } } : {};
  return { values: { mode: "sidecar", secrets: { values }, ...rules }, config: required[name] ?? {} };
}

const secretFor = ({ name }: DeclaredSetting): string =>
  name === "ntfyRoutes" ? "a=b" : "https://example.org/x";

async function toldByHelm(app: ChartedApp, config: string): Promise<object> {
  const base = around(app);
  const ofTest = `${stringify({ ...base.values })}config:\n${indented(merge(config, base.config))}`;
  return await started(app, await environment(app, ofTest), {});
}

/** Rendered once for each app. */
const withoutAnything = new Map<string, Promise<Record<string, string>>>();

async function toldByFile(app: ChartedApp, config: string): Promise<object> {
  const base = around(app);
  await using dir = await tempDir();
  const path = join(dir.path, "config.yml");
  await writeFile(path, config);
  const env =
    withoutAnything.get(app.name) ?? environment(app, stringify({ ...base.values, config: base.config }));
  withoutAnything.set(app.name, env);
  return await started(app, await env, { CONFIG_FILE: path });
}

async function environment({ name, secrets }: ChartedApp, values: string): Promise<Record<string, string>> {
  const [container] = containersOf(podOf(await render(name, { values })).spec);
  if (!container) throw new Error("there is no container");
  const given = Object.fromEntries(secrets.map((setting) => [variableOf(setting), secretFor(setting)]));
  return { ...environmentOf(container, { [`t-${name}`]: given }) };
}

/** What the app says it was told: of each setting of `config:`, the value. */
async function started(app: ChartedApp, env: object, more: object): Promise<object> {
  const program = { name: app.name, version: "0", about: "", settings: app.settings };
  const argv = app.name === "rules-server" ? ["--serve"] : [];
  const result = await readCommandLine(program, {
    argv,
    env: { ...env, ...more },
    readFile: readMountedFile,
  });
  if (result.kind !== "run") throw new Error(result.stderr);
  const { config }: { config: Readonly<Record<string, unknown>> } = result;
  return Object.fromEntries(app.configurable.map(({ name }) => [name, config[name]]));
}

/** The setting at its place, as a person would write it. */
function nested(path: readonly string[], written: string): string {
  const lines = path.map((key, depth) => `${"  ".repeat(depth)}${key}:`);
  const indent = "  ".repeat(path.length - 1);
  return `${lines.join("\n")} ${written.replaceAll(/\n(?=[^\n])/g, `\n${indent}`)}\n`;
}

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, "  ");

/** Texts of two mappings without a key in common. */
const merge = (text: string, more: object): string =>
  Object.keys(more).length === 0 ? text : `${text}${stringify(more)}`;
