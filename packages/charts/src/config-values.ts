import { type ChartedApp, keyPathOf } from "./apps.ts";
import type { DeclaredSetting } from "@qbit-sidecars/config";
import { stringify } from "yaml";

type Section = Map<string, DeclaredSetting | Section>;

/**
 * The `config:` part of a chart's values.yaml: empty, since the app knows its defaults, with every setting in a comment
 * that can be taken out.
 */
export function configValues({ name, configurable }: ChartedApp): string {
  const head = `# -- Settings of ${name}, as in the table below. What is not set has the app's default.\nconfig: {}`;
  return [head, ...linesOf(sectionOf(configurable), 0).map((line) => `  # ${line}`.trimEnd())].join("\n");
}

function sectionOf(settings: readonly DeclaredSetting[]): Section {
  const top: Section = new Map();
  for (const setting of settings) {
    const path = keyPathOf(setting);
    let section = top;
    for (const part of path.slice(0, -1)) {
      const next = section.get(part);
      const inner: Section = next instanceof Map ? next : new Map();
      section.set(part, inner);
      section = inner;
    }
    section.set(path.at(-1) ?? "", setting);
  }
  return top;
}

function linesOf(section: Section, depth: number): string[] {
  const indent = "  ".repeat(depth);
  return [...section].flatMap(([key, value]) =>
    value instanceof Map
      ? [`${indent}${key}:`, ...linesOf(value, depth + 1)]
      : [`${indent}# ${value.about}`, `${indent}${key}:${writtenDefault(value)}`],
  );
}

/** As the schema wants it: a duration as a text, a number as a number. Nothing where there is no default. */
function writtenDefault({ default: fallback, kind }: DeclaredSetting): string {
  if (fallback === undefined) return "";
  const value = kind.written ? kind.print(fallback.value) : fallback.value;
  return ` ${stringify(value, { lineWidth: 0, collectionStyle: "flow" }).trim()}`;
}
