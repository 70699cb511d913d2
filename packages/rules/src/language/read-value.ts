import { formerStateWords, stateWords, stateWord } from "./states.ts";
import { nearest } from "@qbit-sidecars/config";
import { parseRuleDuration } from "./durations.ts";
import type { Field } from "./field.ts";
import type { Scalar } from "./operator.ts";
import { parseRuleSize } from "./sizes.ts";

export type Wrong = { readonly wrong: string };

export function isWrong(value: unknown): value is Wrong {
  return typeof value === "object" && value !== null && "wrong" in value;
}

/** How a value is shown in messages. */
export function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text === undefined ? String(value) : text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** A value that can be equal to what the field holds. One that never could is a mistake of its writer. */
// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive
export function readScalar(value: unknown, field: Field): Scalar | Wrong {
  if (value === null || value === undefined)
    return { wrong: "null is never equal to anything; use the operator is_empty or exists" };
  switch (field.type) {
    case "text":
      if (typeof value === "string") return value;
      return { wrong: `${field.name} is a text and never equal to ${show(value)}; write it in quotes` };
    case "hash":
      if (typeof value === "string" && /^[0-9a-f]*$/i.test(value)) return value.toLowerCase();
      return {
        wrong: `${field.name} is hexadecimal, ${show(value)} is not (quote it, if it is only digits)`,
      };
    case "state":
      return readState(value);
    case "boolean":
      if (typeof value === "boolean") return value;
      return { wrong: `${field.name} is true or false, not ${show(value)}` };
    case "number":
    case "bytes":
    case "seconds":
    case "time":
      return readNumber(value, field);
  }
}

function readState(value: unknown): string | Wrong {
  const known = [...stateWords, ...Object.keys(formerStateWords)];
  if (typeof value === "string" && known.includes(value)) return stateWord(value);
  const similar = typeof value === "string" ? nearest(value, known) : undefined;
  const hint = similar === undefined ? `one of ${stateWords.join(", ")}` : `did you mean ${similar}?`;
  return { wrong: `there is no state ${show(value)}; ${hint}` };
}

/** A number; for sizes also `10 GB`, for durations also `7 days`. */
export function readNumber(value: unknown, field: Field): number | Wrong {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "string") {
    const number = /^\s*[-+]?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isFinite(number)) return number;
    const size = field.type === "bytes" ? parseRuleSize(value)?.bytes : undefined;
    const seconds = field.type === "seconds" ? parseRuleDuration(value) : undefined;
    const read = size ?? seconds;
    if (read !== undefined) return read;
  }
  const units =
    field.type === "bytes"
      ? " or a size such as 10 GB"
      : field.type === "seconds"
        ? " or a duration such as 7 days"
        : "";
  return { wrong: `${field.name} is compared with a number${units}, not ${show(value)}` };
}
