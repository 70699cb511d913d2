import * as z from "zod/mini";
import type { Declaration, DeclaredSetting, Settings } from "./declare-settings.ts";
import { aboutOf } from "./help.ts";

/** A part of a JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A setting and the rest of the way to it. */
interface Entry {
  readonly path: readonly string[];
  readonly setting: DeclaredSetting;
}

/**
 * The config file of a program as a JSON Schema (draft-07), nested by the dots in the keys: also the schema of
 * `config:` in its chart. Secrets are left out, since a chart takes them from Kubernetes Secrets; so are hidden
 * settings, and of several keys all but the first. Nothing is required: every setting may come from elsewhere.
 */
export function settingsSchema<D extends Declaration>({ declared }: Settings<D>): JsonSchema {
  const entries = declared
    .filter(({ kind, hidden }) => !kind.secret && !hidden)
    .flatMap((setting) => setting.keys.slice(0, 1).map((key) => ({ path: key.split("."), setting })));
  return { $schema: "http://json-schema.org/draft-07/schema#", ...sectionSchema(entries) };
}

function sectionSchema(entries: readonly Entry[]): JsonSchema {
  const byName = Map.groupBy(entries, ({ path }) => path[0] ?? "");
  const properties = [...byName].map(([name, members]) => {
    const leaf = members.find(({ path }) => path.length === 1);
    const inside = members.map(({ path, setting }) => ({ path: path.slice(1), setting }));
    return [name, leaf ? settingSchema(leaf.setting) : sectionSchema(inside)] as const;
  });
  return { type: "object", additionalProperties: false, properties: Object.fromEntries(properties) };
}

function settingSchema(setting: DeclaredSetting): JsonSchema {
  const { kind, default: fallback } = setting;
  const { $schema: _, ...schema } = z.toJSONSchema(kind.written?.() ?? kind.schema, { target: "draft-7" });
  // In the form that the schema describes: "10s" rather than 10000.
  const written = fallback && { default: kind.written ? kind.print(fallback.value) : fallback.value };
  return { ...schema, description: aboutOf(setting), ...written };
}
