import * as models from "@kubernetes/client-node/dist/gen/models/all.js";
import type { Manifest } from "./manifest.ts";

type Field = { readonly baseName: string; readonly type: string; readonly format: string };
type Model = { getAttributeTypeMap(): Field[] };

/**
 * What of a manifest Kubernetes does not know or would not take: unknown fields, and values of the wrong JSON type, each
 * with its path. From the type maps of Kubernetes' own client (OpenAPI of 1.36); required fields and words of
 * enumerations are not looked at, nor the spec of custom resources.
 */
export function strayFields(manifest: Manifest): string[] {
  const { apiVersion, kind } = manifest;
  const model = modelOf(kindName(apiVersion, kind));
  if (model) return inModel(manifest, model, kind);
  const [group = ""] = apiVersion.split("/");
  if (!group.includes(".") || group.endsWith(".k8s.io")) return [`${kind}: there is no ${apiVersion}`];
  return inModel({ metadata: manifest.metadata }, models.V1StatefulSet, kind);
}

/** apps/v1 Deployment is V1Deployment; names that several groups have begin with the group's. */
function kindName(apiVersion: string, kind: string): string {
  const version = apiVersion.split("/").at(-1) ?? "";
  return `${version.charAt(0).toUpperCase()}${version.slice(1)}${kind}`;
}

function modelOf(name: string): Model | undefined {
  const found: unknown = (models as Record<string, unknown>)[name];
  return typeof found === "function" && "getAttributeTypeMap" in found
    ? (found as unknown as Model)
    : undefined;
}

function inModel(value: object, model: Model, path: string): string[] {
  const fields = model.getAttributeTypeMap();
  return Object.entries(value).flatMap(([name, inner]) => {
    const field = fields.find(({ baseName }) => baseName === name);
    return field ? inType(inner, field, `${path}.${name}`) : [`${path}.${name} is not known`];
  });
}

function inType(value: unknown, { type, format }: Pick<Field, "type" | "format">, path: string): string[] {
  if (value === null) return [`${path} is null`];
  const item = /^Array<(.*)>$/.exec(type)?.[1];
  if (item !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((one, index) => inType(one, { type: item, format }, `${path}[${index}]`));
  }
  const inner = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (inner !== undefined) {
    if (!isObject(value)) return [`${path} is no mapping`];
    return Object.entries(value).flatMap(([key, one]) =>
      inType(one, { type: inner, format }, `${path}.${key}`),
    );
  }
  return inScalarOrModel(value, { type, format }, path);
}

function inScalarOrModel(
  value: unknown,
  { type, format }: Pick<Field, "type" | "format">,
  path: string,
): string[] {
  const model = modelOf(type);
  if (model) return isObject(value) ? inModel(value, model, path) : [`${path} is no mapping`];
  const isRight = {
    any: () => true,
    string: () => typeof value === "string",
    boolean: () => typeof value === "boolean",
    number: () => typeof value === "number" && (!format.startsWith("int") || Number.isInteger(value)),
    IntOrString: () => typeof value === "string" || Number.isInteger(value),
    Date: () => typeof value === "string",
  }[type];
  if (!isRight) throw new Error(`${path}: the type ${type} is not understood`);
  return isRight() ? [] : [`${path} is ${JSON.stringify(value)}, not a ${type}`];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
