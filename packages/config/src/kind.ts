import type * as z from "zod/mini";

/** What a person wrote: a text, or a list of texts where a YAML sequence or a repeated flag gave one. */
export type Written = string | readonly string[];

/** A refusal completes the sentence that begins with the quoted text: `"abc" is not a duration`. */
export type Reading<V> =
  | { readonly ok: true; readonly value: V }
  | { readonly ok: false; readonly problem: string };

/** Resolves to undefined while the file cannot be read or holds nothing. */
export type ReadAgain = () => Promise<string | undefined>;

/** How the values of one sort of setting are written, checked and printed. */
export interface Kind<V> {
  /** Stands between `<` and `>` in `--help`. */
  readonly placeholder: string;
  /** What would be right, as faults say it: "a duration such as 500ms, 30s or 7d". */
  readonly expected: string;
  /** What a person should know to write one: "a bare number is in seconds". */
  readonly hint?: string;
  /** Reads what a person wrote. Limits are the schema's matter. `readAgain` reads the file it stood in once more. */
  parse(text: string, readAgain?: ReadAgain): Reading<V>;
  /** Present where several texts make one value. */
  combine?(texts: readonly string[]): V;
  /** Checks the parsed value; the messages of its issues complete the same sentence as `problem`. */
  readonly schema: z.ZodMiniType<V>;
  /** The form in a chart's values, where that is not the value's own: a duration is written "30s". */
  readonly written?: () => z.ZodMiniType;
  /** For people: one line, secrets and credentials hidden. */
  print(value: V): string;
  /** The value that an empty text stands for, where `emptyIs: "value"` is possible. */
  readonly empty?: V;
  /** Blanks at either end belong to the value. */
  readonly keepsBlanks?: boolean;
  /**
   * Kubernetes gives every container `<SERVICE>_PORT=tcp://10.0.0.1:80` for each Service of its namespace,
   * which collides with variables such as PORT. Such a value is never meant for a setting of this kind.
   */
  readonly ignoresServiceLinks?: boolean;
  readonly secret?: boolean;
  readonly toggle?: boolean;
}

/** Reads and checks what a person wrote. */
export function readWritten<V>(kind: Kind<V>, written: Written, readAgain?: ReadAgain): Reading<V> {
  const parsed = parseWritten(kind, written, readAgain);
  return parsed.ok ? checkValue(kind, parsed.value) : parsed;
}

/** Checks a value that is already of its kind against the limits of that kind. */
export function checkValue<V>(kind: Kind<V>, value: V): Reading<V> {
  const result = kind.schema.safeParse(value);
  if (result.success) return { ok: true, value };
  return { ok: false, problem: result.error.issues.map((issue) => issue.message).join(" and ") };
}

function parseWritten<V>(kind: Kind<V>, written: Written, readAgain?: ReadAgain): Reading<V> {
  if (typeof written === "string") return kind.parse(kind.keepsBlanks ? written : written.trim(), readAgain);
  if (kind.combine) return { ok: true, value: kind.combine(written) };
  return { ok: false, problem: "is a list where one value is expected" };
}
