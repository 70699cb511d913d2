import { looseObject, number, optional, safeParse, string } from "zod/mini";

/**
 * A forwarded port as PIA grants it: a signed promise, good on every one of its servers that forwards ports.
 * `payload` and `signature` are secrets: who has them can take the port.
 */
export type Grant = {
  /** The payload exactly as PIA sent it. PIA signs these bytes: the same JSON written by somebody else is refused. */
  payload: string;
  signature: string;
  /** From the payload. */
  port: number;
  /** From the payload, epoch ms. */
  expiresAtMs: number;
};

/** A grant without `expires_at`, as in the sample of PIA's README, is taken to run this long; users see 62 days. */
const assumedLifeMs = 60 * 24 * 3_600_000;

/**
 * Reads what PIA's payload says.
 *
 * @param payload base64 of JSON with `port` and `expires_at` (RFC 3339 with nine digits); unknown fields are PIA's own
 *   business
 * @returns undefined when it is not such a payload
 */
export function readGrant(payload: string, signature: string, nowMs: number): Grant | undefined {
  const parsed = safeParse(payloadSchema(), parseJson(Buffer.from(payload, "base64").toString("utf8")));
  if (!parsed.success) return undefined;
  const { port, expires_at, created_at } = parsed.data;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  const expiresAtMs = timeOf(expires_at) ?? (timeOf(created_at) ?? nowMs) + assumedLifeMs;
  return { payload, signature, port, expiresAtMs };
}

function payloadSchema() {
  return looseObject({ port: number(), expires_at: optional(string()), created_at: optional(string()) });
}

function timeOf(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
