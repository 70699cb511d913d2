import type { FilePriority } from "@qbit-sidecars/qbit-client";
import type { DeleteFiles } from "../plan/operation.ts";
import type { Subject } from "../plan/subject.ts";
import type { Field } from "../language/field.ts";
import type { Template } from "./template.ts";

export type Limit = number | "global" | "unlimited";

/** What a param's value becomes when it is read; the kind of the param says which. */
export type ParamValue =
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "templates"; readonly value: readonly Template[] }
  | { readonly kind: "flag"; readonly value: boolean }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "limit"; readonly value: Limit }
  | { readonly kind: "pattern"; readonly value: (text: string) => boolean }
  | { readonly kind: "filePriority"; readonly value: FilePriority }
  | { readonly kind: "deleteFiles"; readonly value: DeleteFiles }
  | { readonly kind: "anything"; readonly value: unknown; readonly templates: ReadonlyMap<string, Template> };

/** The checked params of one action of a rule. */
export class Params {
  readonly #values: ReadonlyMap<string, ParamValue>;

  constructor(values: ReadonlyMap<string, ParamValue>) {
    this.#values = values;
  }

  /** Fields that its templates read. */
  get fields(): Field[] {
    return [...this.#values.values()].flatMap((value) => {
      if (value.kind === "templates") return value.value.flatMap(({ fields }) => fields);
      return value.kind === "anything" ? [...value.templates.values()].flatMap(({ fields }) => fields) : [];
    });
  }

  text(name: string): string {
    return this.#get(name, "text").value;
  }

  optionalText(name: string): string | undefined {
    return this.#values.has(name) ? this.text(name) : undefined;
  }

  /** Texts without templates, or with them as they are written. */
  texts(name: string): string[] {
    return this.#get(name, "templates").value.map(({ source }) => source);
  }

  template(name: string): Template {
    const [template] = this.#get(name, "templates").value;
    if (template === undefined) throw new TypeError(`the param ${name} has no template`);
    return template;
  }

  /** Commas of torrents' names would make two tags of one. */
  tags(subject: Subject, rule: string): string[] {
    const tags = this.#get("tags", "templates").value.map((tag) =>
      tag.render(subject, { rule }).replaceAll(",", " ").trim(),
    );
    return [...new Set(tags)].filter((tag) => tag !== "");
  }

  flag(name: string): boolean {
    return this.#get(name, "flag").value;
  }

  number(name: string): number {
    return this.#get(name, "number").value;
  }

  limit(name: string): Limit | undefined {
    return this.#values.has(name) ? this.#get(name, "limit").value : undefined;
  }

  pattern(name: string): (text: string) => boolean {
    return this.#get(name, "pattern").value;
  }

  filePriority(name: string): FilePriority {
    return this.#get(name, "filePriority").value;
  }

  deleteFiles(name: string): DeleteFiles {
    return this.#get(name, "deleteFiles").value;
  }

  anything(name: string): unknown {
    return this.#values.has(name) ? this.#get(name, "anything").value : undefined;
  }

  /** A text inside of what `anything` gave; one that is no checked template stays as it is. */
  renderText(text: string, { subject, rule }: { subject: Subject; rule: string }): string {
    for (const value of this.#values.values()) {
      const template = value.kind === "anything" ? value.templates.get(text) : undefined;
      if (template !== undefined) return template.render(subject, { rule });
    }
    return text;
  }

  #get<K extends ParamValue["kind"]>(name: string, kind: K): ParamValue & { kind: K } {
    const value = this.#values.get(name);
    if (value === undefined || !is(value, kind))
      throw new TypeError(`the param ${name} was not read as ${kind}`);
    return value;
  }
}

function is<K extends ParamValue["kind"]>(value: ParamValue, kind: K): value is ParamValue & { kind: K } {
  return value.kind === kind;
}

/** The same JSON with each text in it changed; keys stay. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]));
}
