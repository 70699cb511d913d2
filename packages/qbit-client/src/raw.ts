import type { CallOptions, Params } from "./call.ts";
import type { Session } from "./session.ts";

/** A call that the endpoint table does not have (rss, search, torrentcreator …). */
export interface RawRequest extends CallOptions {
  /** Default GET. */
  method?: "GET" | "POST";
  /** Below `api/v2/`: `rss/items`. */
  path: string;
  params?: Params;
}

export interface RawAnswer {
  /** Any but 401 and 403, which the session deals with. */
  status: number;
  body: Buffer;
}

/** Sends a request through the session, without knowing anything about it; it is never repeated. */
export async function sendRaw(session: Session, request: RawRequest): Promise<RawAnswer> {
  const { method = "GET", path, params = {}, ...options } = request;
  const fields = Object.entries(params).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const encoded = new URLSearchParams(fields);
  const body = { contentType: "application/x-www-form-urlencoded", bytes: encoded.toString() };
  return await session.send({
    method,
    path: `api/v2/${path}`,
    ...(method === "GET" ? { query: encoded } : { body }),
    doing: `calling ${path}`,
    endpoint: "raw",
    replayable: false,
    ...options,
  });
}
