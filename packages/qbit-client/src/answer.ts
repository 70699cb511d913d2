import * as z from "zod/mini";
import { QbitResponseError } from "./errors.ts";
import type { HttpAnswer } from "./request.ts";
import { excerpt, isHtml } from "./text.ts";

/** A successful answer, read as what the endpoint promises; anything else is a {@link QbitResponseError}. */
export class Answer {
  readonly #http: HttpAnswer;
  readonly #doing: string;

  constructor(http: HttpAnswer, doing: string) {
    this.#http = http;
    this.#doing = doing;
  }

  get status(): number {
    return this.#http.status;
  }

  get bytes(): Buffer {
    return this.#http.body;
  }

  text(): string {
    if (isHtml(this.#http)) throw this.unusable("a web page instead of an answer of the API");
    return this.#http.body.toString("utf8");
  }

  /** JSON checked by a schema. Schemas are loose: fields they do not name stay. */
  json<T>(schema: z.ZodMiniType<T>): T {
    const data = this.unchecked();
    const result = z.safeParse(schema, data);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw this.unusable(`unexpected JSON${issue === undefined ? "" : misfit(issue, data)}`);
  }

  /** JSON as it is, for bulk lists that are checked in place: a schema would copy every torrent. */
  unchecked(): unknown {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      // The parser's message quotes the answer at length.
      throw this.unusable("not JSON", error instanceof SyntaxError ? new Error("JSON.parse failed") : error);
    }
  }

  /** The answer's beginning is quoted, unless it is JSON: that can hold passkeys of trackers, and passwords. */
  unusable(what: string, cause?: unknown): QbitResponseError {
    const { status, body } = this.#http;
    const said = /^\s*[[{"]/.test(body.toString("utf8", 0, 100)) ? "" : excerpt(body);
    const message = `${this.#doing}: ${what}${said === "" ? "" : `: ${said}`}`;
    return new QbitResponseError(message, { status, excerpt: said, cause });
  }
}

/** Where something else is than a schema expects, and what kind of thing; never the value. */
function misfit(issue: z.core.$ZodIssue, data: unknown): string {
  const at = issue.path.length === 0 ? "" : ` at "${issue.path.join(".")}"`;
  const expected = "expected" in issue ? issue.expected : "something else";
  let found = data;
  for (const key of issue.path) found = Object(found)[key];
  return `${at}: ${expected} expected, ${found === undefined ? "nothing there" : `not ${kindOf(found)}`}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** A plain-text answer that is a whole number. */
export function wholeNumber(answer: Answer): number {
  const text = answer.text().trim();
  if (!/^-?\d+$/.test(text)) throw answer.unusable("not a number");
  return Number(text);
}
