import type { FilePriority } from "@qbit-sidecars/qbit-client";
import type { Action, Param } from "../language/action.ts";
import { parseRuleDuration } from "../language/durations.ts";
import { show } from "../language/read-value.ts";
import { parseRuleSize } from "../language/sizes.ts";
import { compilePattern } from "../regex/compile-pattern.ts";
import { checkKeys, type Compiling } from "./compiling.ts";
import { mapTexts, Params, type ParamValue } from "./params.ts";
import type { Place } from "./problem.ts";
import { readTemplate, type Template } from "./template.ts";
import { describe, entry, isNull, type MapTree, plain, type Tree } from "./tree.ts";

/** Reads the params of an action; undefined when they are wrong, which has been told. */
export function readParams(
  compiling: Compiling,
  action: Action,
  tree: { at: Place; params: Tree | undefined },
): Params | undefined {
  const { problems } = compiling;
  const before = problems.errors;
  const map = paramsMap(compiling, tree);
  if (map === undefined) return undefined;
  const known = action.params.flatMap(({ name, alias, contrary }) =>
    [name, alias, contrary].filter((word) => word !== undefined),
  );
  checkKeys(compiling, map, known);
  const values = new Map<string, ParamValue>();
  for (const param of action.params) {
    const given = givenValue(compiling, param, map);
    const at = given?.at ?? tree.at;
    const value = given === undefined ? param.default : given.value;
    if (value === undefined) {
      if (param.required === true) problems.error(at, `${action.name} needs the param ${param.name}`);
      continue;
    }
    const read = readValue(compiling, param, value);
    if ("wrong" in read) problems.error(at, `${param.name}: ${read.wrong}`);
    else values.set(param.name, read);
  }
  if (action.name === "set_share_limits" && values.size === 0)
    problems.error(tree.at, "set_share_limits needs one of its params");
  return problems.errors > before ? undefined : new Params(values);
}

function paramsMap(
  { problems }: Compiling,
  { at, params }: { at: Place; params: Tree | undefined },
): MapTree | undefined {
  if (params === undefined || isNull(params)) return { kind: "map", at, entries: [] };
  if (params.kind === "map") return params;
  return problems.error(params.at, `params is a mapping, not ${describe(params)}`);
}

type Given = { at: Place; value: unknown };

function givenValue({ problems }: Compiling, param: Param, map: MapTree): Given | undefined {
  const own = entry(map, param.name);
  const alias = param.alias === undefined ? undefined : entry(map, param.alias);
  const contrary = param.contrary === undefined ? undefined : entry(map, param.contrary);
  if (own !== undefined && alias !== undefined)
    problems.error(alias.at, `${alias.key} is another name for ${param.name}; write one of them`);
  const written = own ?? alias;
  const value = written === undefined ? undefined : plain(written.value);
  if (contrary === undefined) return written === undefined ? undefined : { at: written.value.at, value };
  const keep = plain(contrary.value);
  if (typeof keep !== "boolean") {
    problems.error(contrary.value.at, `${contrary.key} is true or false, not ${describe(contrary.value)}`);
    return undefined;
  }
  if (written !== undefined && value === keep)
    problems.error(
      contrary.at,
      `${param.name}: ${show(value)} and ${contrary.key}: ${keep} contradict each other`,
    );
  return { at: contrary.value.at, value: written === undefined ? !keep : value };
}

type Read = ParamValue | { wrong: string };

// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive
function readValue(compiling: Compiling, param: Param, value: unknown): Read {
  const { kind } = param;
  if (typeof kind === "object") {
    if (typeof value === "string" && kind.choice.includes(value)) return { kind: "text", value };
    return { wrong: `takes ${kind.choice.join(", ")}, not ${show(value)}` };
  }
  switch (kind) {
    case "text":
      return typeof value === "string" && value !== ""
        ? { kind, value }
        : { wrong: `takes a text, not ${show(value)}` };
    case "template":
      return readTemplates(compiling, { values: [value], shortNames: param.name === "message" });
    case "texts":
      return readTexts(compiling, value);
    case "flag":
      return typeof value === "boolean"
        ? { kind, value }
        : { wrong: `takes true or false, not ${show(value)}` };
    case "rate":
      return readRate(value);
    case "ratio":
      return readLimit(value, (number) => (typeof number === "number" && number >= 0 ? number : undefined));
    case "minutes":
      return readLimit(value, minutes);
    case "pattern":
      return readPattern(value);
    case "filePriority":
      return readFilePriority(value);
    case "deleteFiles":
      if (typeof value === "boolean" || value === "if_unshared" || value === "always") return { kind, value };
      return { wrong: `takes true, false, if_unshared or always, not ${show(value)}` };
    case "anything":
      return readAnything(compiling, value);
  }
}

function readTexts(compiling: Compiling, value: unknown): Read {
  const values = Array.isArray(value)
    ? value
    : typeof value === "string"
      ? value.split(",").map((text) => text.trim())
      : [value];
  const wrong = values.find((text) => typeof text !== "string" || text.trim() === "" || text.includes(","));
  if (wrong !== undefined)
    return {
      wrong: `takes texts (in quotes, if they are numbers), none empty or with a comma; not ${show(wrong)}`,
    };
  return readTemplates(compiling, { values, shortNames: false });
}

function readTemplates(
  { fields }: Compiling,
  { values, shortNames }: { values: readonly unknown[]; shortNames: boolean },
): Read {
  const templates: Template[] = [];
  for (const value of values) {
    if (typeof value !== "string") return { wrong: `takes a text, not ${show(value)}` };
    const template = readTemplate(value, fields, shortNames);
    if ("wrong" in template) return template;
    templates.push(template);
  }
  return { kind: "templates", value: templates };
}

function readRate(value: unknown): Read {
  if (value === -1) return { kind: "number", value };
  const size = parseRuleSize(value);
  if (size === undefined)
    return { wrong: `takes bytes per second or a size such as 500 KB, not ${show(value)}` };
  return { kind: "number", value: Math.round(size.bytes) };
}

function readLimit(value: unknown, numberOf: (value: unknown) => number | undefined): Read {
  if (value === "global" || value === "unlimited") return { kind: "limit", value };
  const number = numberOf(value);
  return number === undefined
    ? { wrong: `takes a limit, global or unlimited, not ${show(value)}` }
    : { kind: "limit", value: number };
}

/** A plain number is minutes, as in qBittorrent; a duration says its unit. */
function minutes(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 ? value : undefined;
  const seconds = parseRuleDuration(value);
  return seconds === undefined ? undefined : Math.round(seconds / 60);
}

function readPattern(value: unknown): Read {
  if (typeof value !== "string") return { wrong: `takes a pattern in quotes, not ${show(value)}` };
  const compiled = compilePattern(value);
  if ("wrong" in compiled) return compiled;
  if (compiled.engine === "budget") return { wrong: `look-around and back-references cannot be used here` };
  return { kind: "pattern", value: compiled.test };
}

const priorities: Readonly<Record<string, FilePriority>> = {
  skip: 0,
  normal: 1,
  high: 6,
  maximum: 7,
  "0": 0,
  "1": 1,
  "6": 6,
  "7": 7,
};

function readFilePriority(value: unknown): Read {
  const priority = priorities[String(value)];
  if (priority === undefined) return { wrong: `takes skip, normal, high or maximum, not ${show(value)}` };
  return { kind: "filePriority", value: priority };
}

function readAnything({ fields }: Compiling, value: unknown): Read {
  const templates = new Map<string, Template>();
  let wrong: string | undefined;
  mapTexts(value, (text) => {
    const template = readTemplate(text, fields);
    if ("wrong" in template) wrong = template.wrong;
    else templates.set(text, template);
    return text;
  });
  return wrong === undefined ? { kind: "anything", value, templates } : { wrong };
}
