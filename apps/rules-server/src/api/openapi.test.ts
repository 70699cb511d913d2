import type { JobQueue } from "@qbit-sidecars/jobs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { endpoints } from "./endpoints.ts";
import { openApi } from "./openapi.ts";

type Operation = {
  operationId: string;
  summary: string;
  parameters?: { name: string; in: string; required: boolean; schema: object }[];
  responses: Record<string, { description: string; content: Record<string, { schema: object }> }>;
};

// Nothing is answered here.
const parts = {
  queue: {} as JobQueue,
  rules: { look: async () => ({ status: "none", problems: [] }) as const },
  reports: {} as Parameters<typeof endpoints>[0]["reports"],
  dryRun: false,
  settleDelayMs: 0,
};
const document = openApi(endpoints(parts), "0.1.0");
const paths = document["paths"] as Record<string, Record<string, Operation>>;
const operations = Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
);

test("the document has what OpenAPI 3.1 demands", () => {
  expect(document).toMatchObject({ openapi: "3.1.0", info: { title: "qbt-rules", version: "0.1.0" } });
  for (const { path, summary, parameters = [], responses } of operations) {
    expect(path).toMatch(/^\/api\//);
    expect(summary).not.toBe("");
    const inPath = parameters.filter((each) => each.in === "path");
    expect(inPath.map(({ name, required }) => [name, required])).toEqual(
      path.includes("{id}") ? [["id", true]] : [],
    );
    for (const [status, { description }] of Object.entries(responses)) {
      expect(status).toMatch(/^[2-5]\d\d$/);
      expect(description).not.toBe("");
    }
  }
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test("every schema in it is one of JSON Schema 2020-12", () => {
  const ajv = new Ajv2020({ strict: false });
  const schemas = operations.flatMap(({ parameters = [], responses }) => [
    ...parameters.map(({ schema }) => schema),
    ...Object.values(responses).map(({ content }) => content["application/json"]?.schema ?? {}),
  ]);
  expect(schemas.length).toBeGreaterThan(20);
  for (const schema of schemas) expect(ajv.validateSchema(schema), JSON.stringify(ajv.errors)).toBe(true);
});

test("it tells of every endpoint of the seed, and which of them need no key", () => {
  expect(operations.map(({ method, path }) => `${method} ${path}`)).toEqual(
    expect.arrayContaining([
      "post /api/execute",
      "get /api/jobs",
      "get /api/jobs/{id}",
      "delete /api/jobs/{id}",
      "get /api/health",
      "get /api/stats",
      "get /api/version",
    ]),
  );
  const open = operations.filter((each) => "security" in each).map(({ path }) => path);
  expect(open).toEqual(["/api/health", "/api/version"]);
});
