import { Refusal } from "./answers.ts";

export type Params = Readonly<Record<string, string | undefined>>;

/** Only "true" and "false", in any case: "1", "yes" and "on" are no booleans for qBittorrent. */
export function toggle(value: string | undefined): boolean | undefined {
  const word = value?.toLowerCase();
  return word === "true" ? true : word === "false" ? false : undefined;
}

/** As Qt's `toInt`: anything but a whole number is undefined. */
export function integer(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : undefined;
}

export function decimal(value: string | undefined): number | undefined {
  if (value === undefined || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

/** Splits without empty parts. */
export function parts(value: string | undefined, separator: string): string[] {
  return (value ?? "").split(separator).filter((part) => part !== "");
}

/** @throws Refusal 400 when one of them was not sent at all; an empty value counts as sent */
export function requireParams(params: Params, names: readonly string[], isNamed: boolean): void {
  const missing = names.filter((name) => params[name] === undefined);
  if (missing.length === 0) return;
  throw new Refusal(400, isNamed ? `Missing required parameters: ${missing.join(", ")}` : "");
}
