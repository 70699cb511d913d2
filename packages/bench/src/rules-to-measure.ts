import type { PlainLeaf, PlainRule } from "./naive-rules.ts";

/** Three conditions in `any`, none of which holds. */
export function infoRules(count: number): PlainRule[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `info ${at}`,
    conditions: {
      any: [
        { field: "info.name", operator: "matches", value: `(?i).*\\b(never${at}|nor${at}this)\\b.*` },
        { field: "info.ratio", operator: ">", value: 100 + at },
        { field: "info.category", operator: "in", value: [`a${at}`, `b${at}`] },
      ],
    },
    actions: [{ type: "add_tag", params: { tag: "never" } }],
  }));
}

export function mixedRules(): PlainRule[] {
  return [...infoRules(47), ...dearRules([])];
}

export function survivorRules(): PlainRule[] {
  return [
    ...infoRules(47),
    ...dearRules([{ field: "info.name", operator: "ends_with", value: "00.1080p.WEB.x264-GROUP" }]),
  ];
}

function dearRules(first: readonly PlainLeaf[]): PlainRule[] {
  const fields = ["trackers.url", "files.name", "properties.comment"];
  return fields.map((field) => ({
    name: field,
    conditions: [...first, { field, operator: "contains", value: "is-nowhere" }],
    actions: [{ type: "add_tag", params: { tag: "never" } }],
  }));
}

export function tagRules(): PlainRule[] {
  const tagging = Array.from({ length: 5 }, (_, at) => ({
    name: `tag ${at}`,
    conditions: [{ field: "info.ratio", operator: "==", value: at }],
    actions: [{ type: "add_tag", params: { tag: `tag-${at}` } }],
  }));
  return [...infoRules(45), ...tagging];
}

export function hostileRules(): PlainRule[] {
  const patterns = [
    "(a+)+$",
    "(a|a)*!",
    "(?i)(x+x+)+y!",
    "(.*a){20}!",
    "(a?){30}a{30}!",
    ".*.*.*!",
    "(?i)(a.*)*!$",
    "^(a+)+(?=!)",
    "(a|aa)+\\1!",
    "(?<=(a+)+)!",
  ];
  return patterns.map((value, at) => ({
    name: `hostile ${at}`,
    conditions: [
      { field: "info.name", operator: "matches", value },
      { field: "info.ratio", operator: "==", value: 0 },
    ],
    actions: [{ type: "add_tag", params: { tag: "never" } }],
  }));
}
