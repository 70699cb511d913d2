import type { FastifyRequest } from "fastify";
import { badRequest } from "./api-error.ts";

/** What a request gives: its query, and its body where one is taken. The query wins. */
export function givenIn(
  { query, body }: Pick<FastifyRequest, "query" | "body">,
  takesBody: boolean,
): ReadonlyMap<string, readonly string[]> {
  const given = new Map<string, readonly string[]>();
  if (takesBody) for (const [name, texts] of bodyEntries(body)) given.set(name, texts);
  for (const [name, value] of Object.entries(query ?? {})) given.set(name, [value].flat().map(String));
  return given;
}

function bodyEntries(body: unknown): [string, readonly string[]][] {
  if (body === undefined || body === null) return [];
  if (body instanceof URLSearchParams)
    return [...new Set(body.keys())].map((name) => [name, body.getAll(name)]);
  if (typeof body !== "object" || Array.isArray(body)) throw badRequest("The body is no JSON object");
  return Object.entries(body)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => [name, [plainText(name, value)]]);
}

function plainText(name: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return String(value);
  throw badRequest(`${name} is a text, a number or true or false`);
}

/** The key, where a form or JSON body has one; whatever else is in it. */
export function keyInBody(body: unknown): string | undefined {
  if (body instanceof URLSearchParams) return body.getAll("key").at(-1);
  if (typeof body !== "object" || body === null || !("key" in body)) return undefined;
  return typeof body.key === "string" ? body.key : undefined;
}
