import type { FastifyInstance } from "fastify";

/** What a browser finds at `/`. */
export function addPage(app: FastifyInstance): void {
  app.get("/", async (_request, reply) =>
    reply
      .type("text/plain; charset=utf-8")
      .send("qbt-rules answers here. What it can be asked stands at /api/openapi.json\n"),
  );
}
