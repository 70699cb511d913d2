import { appFields } from "./app-fields.ts";
import { derivedFields } from "./derived-fields.ts";
import type { Field } from "./field.ts";
import { infoFields } from "./info-fields.ts";
import { partFields } from "./part-fields.ts";

/** Every field of the language by its name. */
export type Fields = ReadonlyMap<string, Field>;

/** The one table of fields: compiler, JSON Schema and reference are made from it. */
export function fieldTable(): Fields {
  const all = [...infoFields(), ...partFields(), ...appFields(), ...derivedFields()];
  return new Map(all.map((field) => [field.name, field]));
}
