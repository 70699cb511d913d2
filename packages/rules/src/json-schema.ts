import { ruleKeys } from "./compile/read-rule.ts";
import { safetyKeys } from "./compile/safety.ts";
import type { Action, Param } from "./language/action.ts";
import { actionTable } from "./language/actions.ts";
import { fieldTable } from "./language/fields.ts";
import type { Operator } from "./language/operator.ts";
import { operatorTable } from "./language/operators.ts";

type Schema = Record<string, unknown>;

const template = {
  type: "string",
  pattern: "^(\\$\\{vars\\.[\\w-]+\\}|\\{\\{\\s*vars\\.[\\w-]+\\s*\\}\\})$",
};
const ref = {
  type: "object",
  required: ["$ref"],
  additionalProperties: false,
  properties: { $ref: { type: "string" } },
};

/** JSON Schema (2020-12) of a rules file, for editors: completion, hover texts and red lines while typing. */
export function rulesSchema(): Schema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Rules for qBittorrent",
    type: "object",
    required: ["rules"],
    additionalProperties: false,
    properties: {
      version: {},
      instances: {},
      rules: { type: "array", items: { $ref: "#/$defs/rule" } },
      safety: safetySchema(),
      refs: {
        type: "object",
        additionalProperties: false,
        properties: {
          vars: { type: "object" },
          conditions: { type: "object", additionalProperties: { $ref: "#/$defs/conditions" } },
          actions: { type: "object" },
          meta: {},
        },
      },
    },
    $defs: {
      rule: ruleSchema(),
      conditions: conditionsSchema(),
      condition: leafSchema(),
      action: actionsSchema(),
    },
  };
}

function safetySchema(): Schema {
  const properties = Object.fromEntries(
    Object.entries(safetyKeys).map(([key, description]) => [key, { description }]),
  );
  return { type: "object", additionalProperties: false, properties };
}

function ruleSchema(): Schema {
  const words = { type: ["string", "array"], items: { type: "string" } };
  const known: Record<string, Schema> = {
    enabled: { type: "boolean", default: true },
    stop_on_match: {
      type: "boolean",
      default: false,
      description: "later rules skip the torrent for this run",
    },
    context: { ...words, description: "run only in these contexts" },
    trigger: { ...words, deprecated: true },
    conditions: { $ref: "#/$defs/conditions" },
    actions: { anyOf: [{ type: "array", minItems: 1, items: { $ref: "#/$defs/action" } }, ref] },
  };
  return {
    type: "object",
    required: ["conditions", "actions"],
    anyOf: [{ required: ["name"] }, { required: ["id"] }],
    additionalProperties: false,
    properties: Object.fromEntries(ruleKeys.map((key) => [key, known[key] ?? {}])),
  };
}

function conditionsSchema(): Schema {
  const item = { $ref: "#/$defs/conditions" };
  const group = (description: string) => ({ description, anyOf: [{ type: "array", items: item }, item] });
  const words = { type: ["string", "array"], items: { type: "string" } };
  const groups = {
    type: "object",
    additionalProperties: false,
    properties: {
      all: group("every one holds"),
      any: group("at least one holds"),
      none: group("none holds"),
      context: words,
      trigger: words,
      match_all: { type: "boolean" },
    },
  };
  return { anyOf: [{ $ref: "#/$defs/condition" }, { type: "array", items: item }, groups, ref] };
}

function leafSchema(): Schema {
  const fields = [...fieldTable().values()];
  const operators = [...operatorTable().values()];
  return {
    type: "object",
    required: ["field", "operator"],
    additionalProperties: false,
    properties: {
      field: { oneOf: fields.map(({ name, about }) => ({ const: name, description: about })) },
      operator: { oneOf: operators.map(({ name, about }) => ({ const: name, description: about })) },
      value: {},
      match: { enum: ["any", "all", "none", "count"] },
      count: { type: ["string", "integer"] },
    },
    allOf: operators.map((operator) => ({
      if: { required: ["operator"], properties: { operator: { const: operator.name } } },
      // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
      then: { properties: { value: { anyOf: [valueSchema(operator), template] } } },
    })),
  };
}

function valueSchema({ value }: Operator): Schema {
  const duration = { type: ["string", "number"], examples: ["30 days", "7d", "2h30m"] };
  const size = { type: ["string", "number"], examples: ["700 MB", "4.5 GiB"] };
  const texts = { type: ["string", "array"], items: { type: "string" } };
  const schemas: Readonly<Record<Operator["value"], Schema>> = {
    scalar: { type: ["string", "number", "boolean", "array"], maxItems: 0 },
    list: { type: ["array", "string", "number", "boolean"] },
    text: texts,
    pattern: { type: "string" },
    number: { type: ["number", "string"] },
    range: { type: "array", minItems: 2, maxItems: 2 },
    duration,
    size,
    switch: { type: "boolean" },
  };
  return schemas[value];
}

function actionsSchema(): Schema {
  return { anyOf: [...[...actionTable()].map(([name, action]) => actionSchema(name, action)), ref] };
}

function actionSchema(name: string, { about, params }: Action): Schema {
  const properties = params.flatMap((param) => {
    const schema = paramSchema(param);
    return [param.name, param.alias, param.contrary].flatMap((word) =>
      word === undefined ? [] : [[word, schema] as const],
    );
  });
  return {
    type: "object",
    description: about,
    required: ["type"],
    additionalProperties: false,
    properties: {
      type: { const: name },
      params: {
        type: ["object", "null"],
        additionalProperties: false,
        properties: Object.fromEntries(properties),
      },
    },
  };
}

function paramSchema({ kind, about, default: fallback }: Param): Schema {
  const choice = typeof kind === "object" ? { enum: kind.choice } : {};
  return { description: about, ...choice, ...(fallback !== undefined && { default: fallback }) };
}
