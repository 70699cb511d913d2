import * as z from "zod/mini";
import { durationPattern, formatDuration, parseDuration, type DurationUnit } from "./duration.ts";
import type { Kind } from "./kind.ts";
import { withoutExponent } from "./number-text.ts";
import { formatSize, parseSize, sizePattern, type SizeUnit } from "./size.ts";

/** Limits in the unit of the value: bytes, milliseconds or the number itself. */
export interface Limits {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

type Print = (value: number) => string;

export function integerKind(limits: Limits): Kind<number> {
  return {
    placeholder: "number",
    expected: `a whole number${describeLimits(limits, String)}`,
    parse: (text) => {
      const plain = withoutExponent(text);
      if (!/^[+-]?\d+$/.test(plain)) return { ok: false, problem: "is not a whole number" };
      const value = Number(plain);
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

const unitNames: Readonly<Record<DurationUnit, string>> = {
  ms: "milliseconds",
  s: "seconds",
  min: "minutes",
  h: "hours",
  d: "days",
};

export function durationKind(unit: DurationUnit, limits: Limits): Kind<number> {
  const hint = `a bare number is in ${unitNames[unit]}`;
  return {
    placeholder: "duration",
    expected: `a duration such as 500ms, 30s or 7d${describeLimits(limits, formatDuration)}; ${hint}`,
    hint,
    parse: (text) => parseDuration(text, unit),
    schema: limited(limits, formatDuration),
    written: () => numberOrText(durationPattern),
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
    written: () => numberOrText(sizePattern),
    print: formatSize,
  };
}

const numberOrText = (pattern: RegExp) =>
  z.union([z.number().check(z.gte(0)), z.string().check(z.regex(pattern))]);

function limited({ min = 0, max = Number.MAX_SAFE_INTEGER }: Limits, print: Print): z.ZodMiniType<number> {
  return z.int().check(z.gte(min, `is less than ${print(min)}`), z.lte(max, `is more than ${print(max)}`));
}

function describeLimits({ min, max }: Limits, print: Print): string {
  if (min !== undefined && max !== undefined) return ` from ${print(min)} to ${print(max)}`;
  if (min !== undefined) return `, ${print(min)} or more`;
  return max === undefined ? "" : `, ${print(max)} or less`;
}
