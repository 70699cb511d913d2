import type { Document, LineCounter, Pair, YAMLError } from "yaml";
import type { DeclaredSetting } from "./declare-settings.ts";
import type { Fault } from "./fault.ts";
import type { Written } from "./kind.ts";
import { nearest } from "./nearest.ts";

type Yaml = typeof import("yaml");

/** What the config file says for one setting, or why that cannot be one value. */
export type FileValue = {
  /** `config.yml: qbit.url, line 3` */
  readonly source: string;
} & ({ readonly written: Written } | { readonly problem: string });

export interface FileValues {
  /** By the setting's name. */
  readonly values: ReadonlyMap<string, FileValue>;
  /** Whether the file could be read at all; if not, nobody knows what it says. */
  readonly understood: boolean;
  readonly faults: readonly Fault[];
}

export interface ConfigText {
  readonly path: string;
  readonly text: string;
  /** Sections of other programs that share the file. */
  readonly otherKeys: readonly string[];
}

/**
 * Finds the settings in the text of a YAML file. Scalars are taken as they are written, so that `012`, `50GB`
 * and `yes` mean the same here as in a variable. A file that is no YAML gives only faults.
 */
export async function readConfigText(
  file: ConfigText,
  declared: readonly DeclaredSetting[],
): Promise<FileValues> {
  // Loaded late: most programs run without a config file, and the parser costs a megabyte.
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  // prettyErrors quotes the faulty line, which may hold a secret.
  const document = yaml.parseDocument(file.text, { lineCounter: lines, prettyErrors: false });
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) {
    return {
      values: new Map(),
      understood: false,
      faults: errors.map((error) => yamlFault(error, file, lines)),
    };
  }
  const walk = new Walk({ yaml, document, lines, file, declared });
  walk.top();
  return walk;
}

function yamlFault(error: YAMLError, { path }: ConfigText, lines: LineCounter): Fault {
  const { line, col } = lines.linePos(error.pos[0]);
  const from = `${path}, line ${line}, column ${col}`;
  if (error.code === "DUPLICATE_KEY") {
    return { subject: path, from, wrong: "the same key stands here twice", right: "each key once" };
  }
  const wrong = `this is not understood as YAML: ${describe(error)}`;
  return { subject: path, from, wrong, right: "a YAML mapping of settings" };
}

/** The library's messages quote the file, which may hold secrets: whole in some, after a colon or in quotes in others. */
function describe({ code, message }: YAMLError): string {
  if (code === "TAG_RESOLVE_FAILED") return "a tag (!word)";
  if (code === "BAD_DIRECTIVE") return "a directive (%word)";
  return message.replace(/(: |").*$/s, "").trim();
}

interface WalkOptions {
  readonly yaml: Yaml;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly file: ConfigText;
  readonly declared: readonly DeclaredSetting[];
}

/** Goes through the mappings of the file, along the dotted keys that are declared. */
class Walk implements FileValues {
  readonly understood = true;
  readonly values = new Map<string, FileValue>();
  readonly faults: Fault[] = [];
  readonly #options: WalkOptions;
  readonly #byKey: ReadonlyMap<string, DeclaredSetting>;
  readonly #sections: ReadonlySet<string>;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#byKey = new Map(
      options.declared.flatMap((setting) => setting.keys.map((key) => [key, setting] as const)),
    );
    this.#sections = new Set([...this.#byKey.keys()].flatMap(sectionsOf));
  }

  top(): void {
    const { document, file } = this.#options;
    if (document.contents === null) return;
    this.#section("", document.contents, { subject: file.path, node: document.contents });
  }

  #section(prefix: string, value: unknown, place: { subject: string; node: unknown }): void {
    const { yaml } = this.#options;
    if (yaml.isMap(value)) for (const pair of value.items) this.#pair(prefix, pair);
    else if (!isNull(yaml, value)) {
      this.#fault(place, { wrong: "is not a mapping", right: `a mapping of settings, such as "key: value"` });
    }
  }

  #pair(prefix: string, pair: Pair): void {
    const { yaml, file } = this.#options;
    const key = prefix + (yaml.isScalar(pair.key) ? String(pair.key.value) : "(a key that is no text)");
    const place = { subject: key, node: pair.key };
    const value = this.#resolve(pair.value);
    const setting = this.#byKey.get(key);
    if (value === undefined)
      this.#fault(place, { wrong: "there is no such anchor", right: "an anchor above it" });
    else if (setting) this.#setting(setting, value, place);
    else if (this.#sections.has(key)) this.#section(`${key}.`, value, place);
    else if (!file.otherKeys.includes(key)) this.#unknown(place);
  }

  /** What an alias (`*name`) stands for; undefined where nothing has that name. */
  #resolve(value: unknown): unknown {
    const { yaml, document } = this.#options;
    return yaml.isAlias(value) ? value.resolve(document) : value;
  }

  #setting(
    setting: DeclaredSetting,
    value: unknown,
    { subject, node }: { subject: string; node: unknown },
  ): void {
    const { yaml, file } = this.#options;
    if (isNull(yaml, value)) return;
    const source = `${file.path}: ${subject}, line ${this.#position(node).line}`;
    const written =
      setting.kind.combine && yaml.isSeq(value) ? this.#texts(value.items) : scalarText(yaml, value);
    const problem = this.values.has(setting.name)
      ? `the file has this setting twice, as ${setting.keys.join(" and ")}`
      : shapeOf(yaml, value, setting);
    const unclear = written === undefined || this.values.has(setting.name);
    this.values.set(setting.name, unclear ? { source, problem } : { source, written });
  }

  #texts(items: readonly unknown[]): readonly string[] | undefined {
    const texts = items.map((item) => scalarText(this.#options.yaml, this.#resolve(item)));
    return texts.every((text) => text !== undefined) ? texts : undefined;
  }

  #unknown(place: { subject: string; node: unknown }): void {
    const similar = nearest(place.subject, [...this.#byKey.keys(), ...this.#sections]);
    const right = similar === undefined ? "a key that --help names" : `did you mean ${similar}?`;
    this.#fault(place, { wrong: "there is no such key", right });
  }

  #fault(
    { subject, node }: { subject: string; node: unknown },
    { wrong, right }: { wrong: string; right: string },
  ): void {
    const { line, col } = this.#position(node);
    this.faults.push({
      subject,
      from: `${this.#options.file.path}, line ${line}, column ${col}`,
      wrong,
      right,
    });
  }

  #position(node: unknown): { line: number; col: number } {
    const { yaml, lines } = this.#options;
    return lines.linePos(yaml.isNode(node) ? (node.range?.[0] ?? 0) : 0);
  }
}

function sectionsOf(key: string): string[] {
  const parts = key.split(".");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("."));
}

const isNull = (yaml: Yaml, value: unknown): boolean =>
  value === null || value === undefined || (yaml.isScalar(value) && value.value === null);

function scalarText(yaml: Yaml, value: unknown): string | undefined {
  if (!yaml.isScalar(value)) return undefined;
  return typeof value.value === "string" ? value.value : (value.source ?? String(value.value));
}

function shapeOf(yaml: Yaml, value: unknown, { kind }: DeclaredSetting): string {
  if (yaml.isMap(value)) return "it is a mapping";
  return kind.combine ? "not every item of the list is a text" : "it is a list";
}
