import type { FastifyInstance, FastifyReply } from "fastify";
import type { PageFiles } from "./page-files.inlined.ts";

/** Nothing but what this server itself sends: names of torrents are written by strangers. */
const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-cache",
};

/** The page at `/`. Its addresses are relative, so that it works below any path of a proxy. */
export function addPage(app: FastifyInstance, files: PageFiles): void {
  const send = (name: string) => async (_request: unknown, reply: FastifyReply) =>
    await reply
      .headers(headers)
      .type(files[name]?.type ?? "")
      .send(files[name]?.text);
  for (const name of Object.keys(files)) {
    app.get(name === "index.html" ? "/" : `/page/${name}`, send(name));
  }
}
