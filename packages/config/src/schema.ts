import * as z from "zod/mini";
import type { Declaration, DeclaredSetting, Settings } from "./declare-settings.ts";
import { aboutOf } from "./help.ts";

/** A part of a JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

type Section = {
  type: "object";
  additionalProperties: false;
  properties: Record<string, JsonSchema>;
};

/**
 * The config file of a program as a JSON Schema (draft-07), nested by the dots in the keys: also the schema of
 * `config:` in its chart. Secrets are left out, since a chart takes them from Kubernetes Secrets; so are hidden
 * settings, and of several keys all but the first. Nothing is required: every setting may come from elsewhere.
 */
export function settingsSchema<D extends Declaration>({ declared }: Settings<D>): JsonSchema {
  const root = emptySection();
  for (const setting of declared) {
    const [key] = setting.keys;
    if (key === undefined || setting.kind.secret || setting.hidden) continue;
    const path = key.split(".");
    const leaf = path.pop() ?? key;
    const section = path.reduce(sectionIn, root);
    section.properties[leaf] = schemaOf(setting);
  }
  return { $schema: "http://json-schema.org/draft-07/schema#", ...root };
}

const emptySection = (): Section => ({ type: "object", additionalProperties: false, properties: {} });

function sectionIn(parent: Section, name: string): Section {
  const existing = parent.properties[name] as Section | undefined;
  return existing ?? (parent.properties[name] = emptySection());
}

function schemaOf(setting: DeclaredSetting): JsonSchema {
  const { kind } = setting;
  const { $schema: _, ...schema } = z.toJSONSchema(kind.written?.() ?? kind.schema, { target: "draft-7" });
  return {
    ...schema,
    description: aboutOf(setting),
    ...(setting.default && { default: writtenDefault(setting) }),
  };
}

/** The default in the form that the schema describes. */
function writtenDefault({ kind, default: fallback }: DeclaredSetting): unknown {
  return kind.written ? kind.print(fallback?.value) : fallback?.value;
}
