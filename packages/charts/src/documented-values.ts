import { parse } from "yaml";

/** A value of a chart with its `# --` comment. */
export type DocumentedValue = { readonly path: string; readonly about: string; readonly fallback: unknown };

/** The values of a values.yaml that have a comment beginning with `# --`, in its order. */
export function documentedValues(text: string): DocumentedValue[] {
  const values: unknown = parse(text);
  const found: DocumentedValue[] = [];
  const open: { indent: number; key: string }[] = [];
  let about = "";
  for (const line of text.split("\n")) {
    const comment = /^ *# -- (.*)$/.exec(line)?.[1];
    const key = /^( *)([\w.-]+):/.exec(line);
    if (comment !== undefined) about = comment;
    if (!key) continue;
    const [, { length: indent } = "", name = ""] = key;
    while ((open.at(-1)?.indent ?? -1) >= indent) open.pop();
    open.push({ indent, key: name });
    const path = open.map((part) => part.key);
    if (about !== "") found.push({ path: path.join("."), about, fallback: valueAt(values, path) });
    about = "";
  }
  return found;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const key of path) at = (at as Record<string, unknown> | undefined)?.[key];
  return at;
}
