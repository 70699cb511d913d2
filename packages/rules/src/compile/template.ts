import type { Field, Value } from "../language/field.ts";
import type { Fields } from "../language/fields.ts";
import type { Subject } from "../plan/subject.ts";
import { didYouMean } from "./expand.ts";

/** A text with `${info.name}` in it. */
export type Template = {
  readonly source: string;
  readonly fields: readonly Field[];
  /** Values that are not there read as "". Sources of `fields` have to be fetched before. */
  readonly render: (subject: Subject, use?: TemplateUse) => string;
};

type TemplateUse = {
  rule?: string;
  /** Names of torrents become names in a path: no slashes, no `..`. */
  asPath?: boolean;
};

type Segment = string | Field | { readonly rule: true };

/** Fields whose slashes are meant. */
const paths = new Set([
  "info.save_path",
  "info.download_path",
  "info.content_path",
  "info.root_path",
  "info.category",
]);

/** @param shortNames also `{name}` for `${info.name}`, where there is such a field */
export function readTemplate(
  source: string,
  fields: Fields,
  shortNames = false,
): Template | { wrong: string } {
  const segments: Segment[] = [];
  let from = 0;
  for (const match of source.matchAll(/\$?\{([\w.]+)\}/g)) {
    const [whole, name = ""] = match;
    const isLong = whole.startsWith("$");
    const field = fields.get(isLong ? name : `info.${name}`);
    if (!isLong && (!shortNames || field === undefined)) continue;
    if (field === undefined && name !== "rule.name")
      return { wrong: `there is no field ${name}${didYouMean(name, fields.keys())}` };
    segments.push(source.slice(from, match.index), field ?? { rule: true });
    from = match.index + whole.length;
  }
  segments.push(source.slice(from));
  const used = segments.filter((segment) => typeof segment === "object" && "name" in segment);
  return {
    source,
    fields: used,
    render: (subject, use) => segments.map((part) => show(part, subject, use)).join(""),
  };
}

function show(segment: Segment, subject: Subject, use: TemplateUse = {}): string {
  if (typeof segment === "string") return segment;
  if ("rule" in segment) return use.rule ?? "";
  const text = valueText(segment.read(subject));
  if (use.asPath !== true) return text;
  const oneName = paths.has(segment.name) ? text : text.replaceAll(/[\\/]+/g, "_");
  return oneName.replaceAll(/(^|[\\/])\.\.?(?=[\\/]|$)/g, "$1_");
}

function valueText(value: Value): string {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}
