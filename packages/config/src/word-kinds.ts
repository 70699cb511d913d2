import * as z from "zod/mini";
import type { Kind } from "./kind.ts";

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

export function toggleKind(): Kind<boolean> {
  return {
    placeholder: "true|false",
    expected: "true or false (also yes/no, on/off, 1/0)",
    parse: (text) => {
      const value = booleans[text.toLowerCase()];
      return value === undefined ? { ok: false, problem: "is neither true nor false" } : { ok: true, value };
    },
    schema: z.boolean(),
    print: String,
    toggle: true,
  };
}

/** One of several words, in any case; `aliases` are other spellings of them, in lower case. */
export function choiceKind<const T extends string>(
  values: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): Kind<T> {
  const spellings = new Map([
    ...values.map((value) => [value.toLowerCase(), value] as const),
    ...Object.entries(aliases),
  ]);
  return {
    placeholder: values.join("|"),
    expected: `one of ${values.join(", ")}`,
    parse: (text) => {
      const value = spellings.get(text.toLowerCase());
      return value === undefined ? { ok: false, problem: "is none of these words" } : { ok: true, value };
    },
    schema: z.enum(values),
    print: String,
  };
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** The levels of pino in any case, with Python's WARNING and CRITICAL. */
export function logLevelKind(): Kind<LogLevel> {
  const levels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
  const spellings = [...levels, "warning", "critical"];
  return {
    ...choiceKind(levels, { warning: "warn", critical: "fatal" }),
    placeholder: "level",
    hint: levels.join(", "),
    written: () => z.enum(spellings.flatMap((word) => [word, word.toUpperCase()])),
  };
}
