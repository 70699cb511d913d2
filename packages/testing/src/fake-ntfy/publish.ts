import type { NtfyMessage } from "./messages.ts";

/** An answer of ntfy's. */
export type NtfyAnswer = { status: number; body: string; contentType?: string };

/** What a publication asks for. */
export type Publication = Omit<NtfyMessage, "id" | "time" | "expires" | "event" | "topic" | "sequence_id"> & {
  sequence?: string;
};

type Read = { ok: true; topic: string; publication: Publication } | { ok: false; answer: NtfyAnswer };

const namePattern = /^[-_A-Za-z0-9]{1,64}$/;
const reserved = ["docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login", "v1"];
const jsonMostBytes = 8192;

/** Versions before 2.16 know no sequence ids, those before 2.28 limit neither title nor tags. */
export type NtfyRules = { knowsSequences: boolean };

export function failure(http: number, code: number, error: string): NtfyAnswer {
  return { status: http, body: `${JSON.stringify({ code, http, error })}\n` };
}

/** A body of `POST /` as ntfy 2.27 reads it, with its checks in its order. */
export function readJsonPublish(body: string, rules: NtfyRules): Read {
  const refuse = (http: number, code: number, error: string): Read => ({
    ok: false,
    answer: failure(http, code, error),
  });
  if (Buffer.byteLength(body) > jsonMostBytes) return refuse(413, 41_303, "JSON body too large");
  const json = parse(body);
  if (json === undefined || !hasRightTypes(json))
    return refuse(400, 40_024, "invalid request: request body must be valid JSON");
  const { topic = "", sequence_id, title, message, priority, tags, click } = json;
  if (!namePattern.test(topic)) return refuse(400, 40_009, "invalid request: topic invalid");
  if (reserved.includes(topic)) return refuse(400, 40_010, "invalid request: topic name is not allowed");
  if (priority !== undefined && (priority < 0 || priority > 5))
    return refuse(400, 40_007, "invalid priority parameter");
  if (rules.knowsSequences && sequence_id !== undefined && !namePattern.test(sequence_id))
    return refuse(400, 40_049, "invalid request: sequence ID invalid");
  if (Buffer.byteLength(message ?? "") > 4096)
    return refuse(400, 40_014, "invalid request: attachments not allowed");
  return {
    ok: true,
    topic,
    publication: {
      ...(rules.knowsSequences && sequence_id !== undefined ? { sequence: sequence_id } : {}),
      ...(title ? { title } : {}),
      message: message?.trim() || "triggered",
      ...(priority ? { priority } : {}),
      ...(tags && tags.length > 0 ? { tags: tags.join(",").split(",") } : {}),
      ...(click ? { click } : {}),
    },
  };
}

type Json = {
  topic?: string;
  sequence_id?: string;
  title?: string;
  message?: string;
  priority?: number;
  tags?: string[];
  click?: string;
};

function parse(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function hasRightTypes(json: Record<string, unknown>): json is Json {
  const texts = ["topic", "sequence_id", "title", "message", "click"];
  const { priority, tags } = json;
  return (
    texts.every((name) => json[name] === undefined || typeof json[name] === "string") &&
    (priority === undefined || Number.isInteger(priority)) &&
    (tags === undefined || (Array.isArray(tags) && tags.every((tag) => typeof tag === "string")))
  );
}
