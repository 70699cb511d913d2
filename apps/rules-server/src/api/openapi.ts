import * as z from "zod/mini";
import { crash, refusal } from "./answers.ts";
import type { Endpoint } from "./endpoint.ts";

type Json = Record<string, unknown>;

/** The API as OpenAPI 3.1, made of what answers it. */
export function openApi(endpoints: readonly Endpoint[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const item = (paths[endpoint.path] ??= {});
    item[endpoint.method.toLowerCase()] = operation(endpoint);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "qbt-rules",
      version,
      description: "Rules for qBittorrent: a queue of jobs that run them.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ header: [] }, { query: [] }],
    paths,
    components: {
      securitySchemes: {
        header: { type: "apiKey", in: "header", name: "X-API-Key" },
        query: {
          type: "apiKey",
          in: "query",
          name: "key",
          description: "Ends up in other programs' logs; the header does not.",
        },
      },
    },
  };
}

function operation({ method, path, about, isOpen, params, takesBody, answers }: Endpoint): Json {
  const id = path.includes("{id}")
    ? [{ name: "id", in: "path", required: true, schema: { type: "string" }, description: "The job's id." }]
    : [];
  const query = Object.entries(params).map(([name, param]) => ({
    name,
    in: "query",
    required: false,
    description: param.about,
    schema: param.schema,
  }));
  const parameters = [...id, ...query];
  return {
    operationId: operationId(method, path),
    summary: about,
    ...(parameters.length > 0 && { parameters }),
    ...(isOpen && { security: [] }),
    ...(takesBody !== false && {
      requestBody:
        takesBody === true
          ? parametersBody(params)
          : { required: true, content: { "application/json": { schema: jsonSchema(takesBody) } } },
    }),
    responses: responses({ answers, isOpen, hasParams: query.length > 0 }),
  };
}

/** `GET /api/jobs/{id}` is getJobsById. */
function operationId(method: string, path: string): string {
  const words = path
    .replace("/api/", "")
    .split("/")
    .map((word) => (word === "{id}" ? "byId" : word));
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function parametersBody(params: Endpoint["params"]): Json {
  const properties = Object.fromEntries(Object.entries(params).map(([name, { schema }]) => [name, schema]));
  const schema = { type: "object", properties, additionalProperties: false };
  return {
    required: false,
    description: "The parameters may stand here instead.",
    content: { "application/json": { schema }, "application/x-www-form-urlencoded": { schema } },
  };
}

function responses({
  answers,
  isOpen,
  hasParams,
}: Pick<Endpoint, "answers" | "isOpen"> & { hasParams: boolean }): Json {
  const all = {
    ...(hasParams && { 400: { about: "A parameter cannot be meant", schema: refusal } }),
    ...(!isOpen && { 401: { about: "Missing or invalid API key", schema: refusal } }),
    500: { about: "A fault of this program", schema: crash },
    ...(!isOpen && { 503: { about: "The queue cannot be reached", schema: refusal } }),
    ...answers,
  };
  return Object.fromEntries(
    Object.entries(all).map(([status, { about, schema }]) => [
      status,
      { description: about, content: { "application/json": { schema: jsonSchema(schema) } } },
    ]),
  );
}

function jsonSchema(schema: z.ZodMiniType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: "draft-2020-12" });
  return json;
}
