/** What an operation answers, before HTTP: the server adds headers that every answer has. */
export type Answer = {
  status: number;
  body: string | Buffer;
  /** "text" becomes text/plain as the version writes it; anything else is sent as it is; undefined sends none. */
  contentType?: string;
  headers?: Record<string, string>;
};

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export const done: Answer = { status: 200, body: "", contentType: "text" };
export const noContent: Answer = { status: 204, body: "" };

export function text(body: string): Answer {
  return { status: 200, body, contentType: "text" };
}

export function json(value: Json): Answer {
  return jsonText(JSON.stringify(value));
}

/** For answers of many megabytes that are put together from cached parts. */
export function jsonText(body: string): Answer {
  return { status: 200, body, contentType: "application/json" };
}

/** An operation refuses: thrown from wherever it is noticed, as `APIError` in qBittorrent, and turned into an answer in `model.ts`. */
export class Refusal extends Error {
  readonly status: number;

  /** @param message body of the answer; empty means the status text (or nothing, in old versions) */
  constructor(status: 400 | 401 | 403 | 404 | 405 | 409 | 415, message = "") {
    super(message);
    this.status = status;
  }
}
