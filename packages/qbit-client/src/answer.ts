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
    const result = z.safeParse(schema, this.unchecked());
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    throw this.unusable(`unexpected JSON at "${issue?.path.join(".") ?? ""}" (${issue?.message ?? ""})`);
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

  unusable(what: string, cause?: unknown): QbitResponseError {
    const details = { status: this.#http.status, excerpt: excerpt(this.#http.body) };
    return new QbitResponseError(`${this.#doing}: ${what}: ${details.excerpt}`, { ...details, cause });
  }
}

/** A plain-text answer that is a whole number. */
export function wholeNumber(answer: Answer): number {
  const text = answer.text().trim();
  if (!/^-?\d+$/.test(text)) throw answer.unusable("not a number");
  return Number(text);
}
