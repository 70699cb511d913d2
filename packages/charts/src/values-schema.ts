import { type Declaration, type JsonSchema, settingsSchema } from "@qbit-sidecars/config";
import { parse } from "yaml";
import { type ChartedApp, variableOf } from "./apps.ts";

/** As rules-server has it in its config file. */
const schedule: JsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["cron"],
  properties: {
    cron: { type: "string" },
    context: { type: "string" },
    timezone: { type: "string" },
    jitter: { type: "string" },
    dry_run: { type: "boolean" },
  },
};

/** What a default does not tell, by path in the values. A path ending in /* is that of whatever stands there. */
const told: Readonly<Record<string, JsonSchema>> = {
  mode: { type: "string", enum: ["sidecar", "deployment"] },
  nativeSidecars: { enum: ["auto", "true", "false", true, false] },
  "image.pullPolicy": { type: "string", enum: ["Always", "IfNotPresent", "Never"] },
  "image.digest": { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" },
  "service.type": { type: "string", enum: ["ClusterIP", "NodePort", "LoadBalancer"] },
  "podDisruptionBudget.maxUnavailable": { type: ["integer", "string"] },
  "networkPolicy.egressPorts": { type: "array", items: { type: "integer", minimum: 1, maximum: 65_535 } },
  schedule: { type: "array", items: schedule },
  replicas: { type: "integer", minimum: 0 },
  terminationGracePeriodSeconds: { type: "integer", minimum: 1 },
};

/** Kubernetes' own objects: what may stand there is Kubernetes' matter. */
const ofKubernetes = new Set([
  "resources",
  "securityContext",
  "podSecurityContext",
  "livenessProbe",
  "readinessProbe",
  "metrics.dashboard.labels",
  "qbittorrent.resources",
  "gluetun.resources",
  "valkey.resources",
]);

/**
 * The schema of a chart's values, draft-07 as every Helm understands it: types from the defaults in values.yaml, `config`
 * from the app's declaration, `secrets` from the names of its secrets. What is not known is refused, except `global` and
 * `enabled`, which belong to a parent chart.
 */
export function valuesSchema(app: ChartedApp, values: string): JsonSchema {
  const defaults: unknown = parse(values);
  const parts: Record<string, JsonSchema> = {
    config: configSchema(app),
    ...Object.fromEntries(["secrets.values", "secrets.keys"].map((path) => [path, byVariable(app)])),
  };
  const { properties, ...schema } = schemaOf(defaults, "", { ...told, ...parts });
  // Helm puts the values of dependencies, here none, under their names.
  const ofParents = {
    global: { type: "object" },
    enabled: { type: "boolean" },
    "sidecar-lib": { type: "object" },
  };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: `Values of the chart ${app.name}`,
    ...schema,
    properties: { ...(properties as object), ...ofParents },
  };
}

/** The same for the umbrella: what stands below an app's name is that chart's matter, which Helm asks as well. */
export function umbrellaSchema(values: string, apps: readonly ChartedApp[]): JsonSchema {
  const defaults: unknown = parse(values);
  const parts: Record<string, JsonSchema> = {
    "qbittorrent.flavour": { type: "string", enum: ["home-operations", "linuxserver"] },
    "qbittorrent.service.type": told["service.type"] ?? {},
    "global.nativeSidecars": told.nativeSidecars ?? {},
    "global.qbittorrent.port": { type: "integer", minimum: 1, maximum: 65_535 },
    "gluetun.inputPorts": told["networkPolicy.egressPorts"] ?? {},
    "gluetun.env": { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } },
    ...Object.fromEntries(apps.map(({ name }) => [name, { type: "object" }])),
  };
  const { properties, ...schema } = schemaOf(defaults, "", { ...told, ...parts });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Values of the chart qbit-sidecars",
    ...schema,
    properties: {
      ...(properties as object),
      enabled: { type: "boolean" },
      "sidecar-lib": { type: "object" },
    },
  };
}

/** Strict, by types of the defaults. */
function schemaOf(value: unknown, path: string, known: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const given = known[path];
  if (given) return given;
  if (path.startsWith("ports.")) return { type: "integer", minimum: 1, maximum: 65_535 };
  if (Array.isArray(value)) return { type: "array" };
  if (typeof value !== "object" || value === null) return { type: typeOf(value) };
  const entries = Object.entries(value);
  if (entries.length === 0 || ofKubernetes.has(path)) return { type: "object" };
  const properties = entries.map(([key, inner]) => {
    return [key, schemaOf(inner, path === "" ? key : `${path}.${key}`, known)] as const;
  });
  return { type: "object", additionalProperties: false, properties: Object.fromEntries(properties) };
}

function typeOf(value: unknown): string {
  if (typeof value === "boolean") return "boolean";
  return typeof value === "number" ? "integer" : "string";
}

function byVariable({ secrets }: ChartedApp): JsonSchema {
  const properties = secrets.map((setting) => [
    variableOf(setting),
    { type: "string", description: setting.about },
  ]);
  return { type: "object", additionalProperties: false, properties: Object.fromEntries(properties) };
}

/**
 * The app's own schema, as one variable can carry it: an item of a list has no comma, and no list is empty. Null counts as not set, there as
 * in a config file.
 */
function configSchema({ configurable }: ChartedApp): JsonSchema {
  const settings = { declaration: {} as Declaration, declared: configurable, rules: [] };
  const { $schema: _, ...schema } = settingsSchema(settings);
  return orNull(schema, { top: true });
}

function orNull(schema: JsonSchema, { top = false } = {}): JsonSchema {
  const { type, properties, anyOf, enum: words, items, ...rest } = schema;
  if (properties) {
    const inner = Object.entries(properties as Record<string, JsonSchema>);
    const nullable = Object.fromEntries(inner.map(([key, part]) => [key, orNull(part)]));
    return { ...rest, type: top ? type : [type, "null"], properties: nullable };
  }
  if (anyOf) return { ...rest, anyOf: [...(anyOf as JsonSchema[]), { type: "null" }] };
  if (words) return { ...rest, enum: [...(words as unknown[]), null] };
  if (items) return { ...rest, type: [type, "null"], minItems: 1, items: { ...items, pattern: "^[^,]*$" } };
  return { ...rest, type: [type, "null"] };
}
