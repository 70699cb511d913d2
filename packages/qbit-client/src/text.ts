import type { HttpAnswer } from "./request.ts";

/** The first 200 characters of an answer, on one line, fit for a message. */
export function excerpt(body: Buffer): string {
  return body
    .toString("utf8", 0, 800)
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, 200);
}

export function isHtml(answer: HttpAnswer): boolean {
  return (
    (answer.headers["content-type"] ?? "").includes("html") ||
    /^\s*<(!doctype|html)/i.test(answer.body.toString("utf8", 0, 100))
  );
}
