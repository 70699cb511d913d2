import { type ReadFile, readTextFile } from "@qbit-sidecars/config";
import type { Container, EnvVar } from "./manifest.ts";

/** Secrets of a namespace, by name and key. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * What a container finds in its environment: `$(X)` in a value is replaced by the variable X that stands before it, `$$`
 * is a `$`; values of Secrets are taken as they are.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container (env.value)
 * @throws Error for a Secret or key that is not there and not optional: the container would not start
 */
export function environmentOf({ env = [] }: Container, secrets: Secrets): Record<string, string> {
  const found: Record<string, string> = {};
  for (const variable of env) {
    const value = valueOf(variable, { secrets, found });
    if (value !== undefined) found[variable.name] = value;
  }
  return found;
}

type Place = { readonly secrets: Secrets; readonly found: Readonly<Record<string, string>> };

function valueOf({ name, value = "", valueFrom }: EnvVar, { secrets, found }: Place): string | undefined {
  if (valueFrom?.fieldRef) return `<${valueFrom.fieldRef.fieldPath}>`;
  const ref = valueFrom?.secretKeyRef;
  if (!ref) return expand(value, found);
  const secret = secrets[ref.name]?.[ref.key];
  if (secret === undefined && ref.optional !== true) {
    throw new Error(`${name}: there is no key ${ref.key} in a Secret ${ref.name}`);
  }
  return secret;
}

function expand(value: string, found: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$\$|\$\(([^)]*)\)/g, (text, variable?: string) => {
    if (text === "$$") return "$";
    return variable === undefined ? text : (found[variable] ?? text);
  });
}

/** What a container of ours reads: of mounted Secrets a text that any of them may have, all else where it is. */
export const readMountedFile: ReadFile = async (path, maxBytes) =>
  path.startsWith("/var/run/qbsync/")
    ? { ok: true, text: "0123456789abcdef0123456789abcdef" }
    : await readTextFile(path, maxBytes);
