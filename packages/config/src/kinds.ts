import * as z from "zod/mini";
import { addressPattern, formatAddress, parseAddress, type Address } from "./address.ts";
import { durationPattern, formatDuration, parseDuration, type DurationUnit } from "./duration.ts";
import type { Kind, Reading } from "./kind.ts";
import { hideCredentials } from "./quote.ts";
import { Secret } from "./secret.ts";
import { formatSize, parseSize, sizePattern, type SizeUnit } from "./size.ts";
import { parseUrl } from "./url.ts";

const printText = (text: string): string => (text === "" ? '""' : hideCredentials(text));

/** Any text, or one that matches a pattern; `means` says in words what the pattern asks for. */
export function textKind(pattern?: { readonly regex: RegExp; readonly means: string }): Kind<string> {
  const schema = z.string();
  return {
    placeholder: "text",
    expected: pattern?.means ?? "a text",
    parse: (value) => ({ ok: true, value }),
    schema: pattern ? schema.check(z.regex(pattern.regex, `is not ${pattern.means}`)) : schema,
    print: printText,
    empty: "",
    keepsBlanks: true,
  };
}

export function secretKind(): Kind<Secret> {
  return {
    placeholder: "secret",
    expected: "a secret text",
    parse: (text) => ({ ok: true, value: new Secret(text) }),
    schema: z.instanceof(Secret),
    print: String,
    empty: new Secret(""),
    keepsBlanks: true,
    secret: true,
  };
}

export function pathKind(): Kind<string> {
  const problem = "holds a line break or a NUL; is it the content of a file rather than its path?";
  return {
    placeholder: "path",
    expected: "the path of a file or folder",
    parse: (value) => ({ ok: true, value }),
    schema: z.string().check(z.regex(/^[^\0\r\n]*$/, problem)),
    print: printText,
    empty: "",
    keepsBlanks: true,
  };
}

const words: Readonly<Record<string, boolean>> = {
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
      const value = words[text.toLowerCase()];
      return value === undefined ? { ok: false, problem: "is neither true nor false" } : { ok: true, value };
    },
    schema: z.boolean(),
    print: String,
    toggle: true,
  };
}

/** Limits in the unit of the value: bytes, milliseconds or the number itself. */
export interface Limits {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

function limited(limits: Limits, print: (value: number) => string): z.ZodMiniType<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = limits;
  return z.int().check(z.gte(min, `is less than ${print(min)}`), z.lte(max, `is more than ${print(max)}`));
}

function describeLimits({ min, max }: Limits, print: (value: number) => string): string {
  if (min !== undefined && max !== undefined) return ` from ${print(min)} to ${print(max)}`;
  if (min !== undefined) return `, ${print(min)} or more`;
  return max === undefined ? "" : `, ${print(max)} or less`;
}

export function integerKind(limits: Limits): Kind<number> {
  return {
    placeholder: "number",
    expected: `a whole number${describeLimits(limits, String)}`,
    parse: (text) => {
      const value = Number(text);
      if (!/^[+-]?\d+$/.test(text)) return { ok: false, problem: "is not a whole number" };
      return Number.isSafeInteger(value) ? { ok: true, value } : { ok: false, problem: "is too large" };
    },
    schema: limited({ min: Number.MIN_SAFE_INTEGER, ...limits }, String),
    print: String,
    ignoresServiceLinks: true,
  };
}

export function portKind(): Kind<number> {
  return { ...integerKind({ min: 1, max: 65_535 }), placeholder: "port", expected: "a port from 1 to 65535" };
}

const bareUnitNames: Readonly<Record<DurationUnit, string>> = {
  ms: "milliseconds",
  s: "seconds",
  min: "minutes",
  h: "hours",
  d: "days",
};

export function durationKind(unit: DurationUnit, limits: Limits): Kind<number> {
  const hint = `a bare number is in ${bareUnitNames[unit]}`;
  return {
    placeholder: "duration",
    expected: `a duration such as 500ms, 30s or 7d${describeLimits(limits, formatDuration)}; ${hint}`,
    hint,
    parse: (text) => parseDuration(text, unit),
    schema: limited(limits, formatDuration),
    written: () => z.union([z.number().check(z.gte(0)), z.string().check(z.regex(durationPattern))]),
    print: formatDuration,
  };
}

export function sizeKind(unit: SizeUnit, limits: Limits): Kind<number> {
  const hint = `a bare number is in ${unit === "B" ? "bytes" : unit}`;
  return {
    placeholder: "size",
    expected: `a size such as 512MiB or 50GB${describeLimits(limits, formatSize)}; ${hint}`,
    hint,
    parse: (text) => parseSize(text, unit),
    schema: limited(limits, formatSize),
    written: () => z.union([z.number().check(z.gte(0)), z.string().check(z.regex(sizePattern))]),
    print: formatSize,
  };
}

export function urlKind(schemes: readonly string[]): Kind<string> {
  return {
    placeholder: "url",
    expected: `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
    parse: (text) => parseUrl(text, schemes),
    schema: z.string(),
    written: () => z.string().check(z.regex(new RegExp(`^(${schemes.join("|")})://.`))),
    print: printText,
  };
}

export function addressKind(hostRequired: boolean): Kind<Address> {
  return {
    placeholder: hostRequired ? "host:port" : "[host]:port",
    expected: hostRequired
      ? "a host and a port such as 192.168.1.100:50051 or [::1]:50051"
      : "a port or an address such as 8080, :8080, 127.0.0.1:8080 or [::1]:8080",
    parse: (text) => {
      const reading = parseAddress(text);
      const lacksHost = reading.ok && hostRequired && reading.value.host === undefined;
      return lacksHost ? { ok: false, problem: "has no host" } : reading;
    },
    schema: z.object({ host: z.union([z.string(), z.undefined()]), port: z.int() }),
    written: () =>
      z.union([z.int().check(z.gte(0), z.lte(65_535)), z.string().check(z.regex(addressPattern))]),
    print: formatAddress,
    ignoresServiceLinks: true,
  };
}

/** One of several words, in any case; `aliases` are other spellings of them, in lower case. */
export function choiceKind<const T extends string>(
  values: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): Kind<T> {
  const find = (text: string): T | undefined =>
    values.find((value) => value.toLowerCase() === text.toLowerCase()) ?? aliases[text.toLowerCase()];
  return {
    placeholder: values.join("|"),
    expected: `one of ${values.join(", ")}`,
    parse: (text): Reading<T> => {
      const value = find(text);
      return value === undefined
        ? { ok: false, problem: `is none of ${values.join(", ")}` }
        : { ok: true, value };
    },
    schema: z.enum(values),
    print: String,
  };
}

export function listKind(): Kind<readonly string[]> {
  const clean = (texts: readonly string[]): string[] =>
    texts.map((text) => text.trim()).filter((text) => text !== "");
  return {
    placeholder: "a,b,c",
    expected: "a list, separated by commas",
    parse: (text) => ({ ok: true, value: clean(text.split(",")) }),
    combine: clean,
    schema: z.array(z.string()),
    print: (texts) => (texts.length === 0 ? '""' : texts.map(hideCredentials).join(",")),
    empty: [],
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
