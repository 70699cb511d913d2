import got, { HTTPError } from "got";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where this pod is described, and with what it may be asked about. */
export type PodIdentity = {
  /** KUBERNETES_SERVICE_HOST and _PORT; the kubelet sets both in every container. */
  host: string | undefined;
  port: string | undefined;
  /** POD_NAME and POD_NAMESPACE, by the downward API. */
  pod: string | undefined;
  /** Where it is not set: what the service account's folder says. */
  namespace: string | undefined;
  /** With `token`, `ca.crt` and `namespace`. */
  serviceAccountDir: string;
};

/** Why it is not known whether an annotation is set. */
class PodUnknownError extends Error {
  override readonly name: string = "PodUnknownError";
}

/** There is no pod to ask about: Compose, or a host. */
export class NoPodError extends PodUnknownError {
  override readonly name = "NoPodError";

  constructor() {
    super(
      "this is no pod of Kubernetes, whose annotation would ask for one (KUBERNETES_SERVICE_HOST is not set); POST /drain does as well",
    );
  }
}

/**
 * The value of an annotation of this program's own pod, undefined where there is none. Needs `get` on `pods`. The token
 * is read each time: the kubelet replaces it about once an hour.
 *
 * @throws PodUnknownError whatever is missing, refused, late, or not to be trusted
 */
export async function readPodAnnotation(
  annotation: string,
  identity: PodIdentity,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<string | undefined> {
  const { url, token, ca } = await requestOf(identity);
  try {
    const pod: unknown = await got(url, {
      headers: { authorization: `Bearer ${token}`, accept: "application/json" },
      https: { certificateAuthority: ca },
      timeout: { request: timeoutMs },
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: true,
      signal,
    }).json();
    return annotationsOf(pod)[annotation];
  } catch (cause) {
    if (cause instanceof PodUnknownError) throw cause;
    throw new PodUnknownError(`asking the Kubernetes API for pod ${identity.pod}${hintOf(cause)}`, { cause });
  }
}

async function requestOf({ host, port, pod, namespace, serviceAccountDir }: PodIdentity) {
  if (host === undefined || port === undefined) throw new NoPodError();
  if (pod === undefined) throw new PodUnknownError("POD_NAME is not set (downward API, metadata.name)");
  const read = async (name: string): Promise<string> => {
    const path = join(serviceAccountDir, name);
    try {
      return (await readFile(path, "utf8")).trim();
    } catch (cause) {
      throw new PodUnknownError(`reading ${path}: is the service account's token mounted?`, { cause });
    }
  };
  const space = namespace ?? (await read("namespace"));
  const [token, ca] = [await read("token"), await read("ca.crt")];
  const address = host.includes(":") ? `[${host}]` : host;
  const path = `/api/v1/namespaces/${encodeURIComponent(space)}/pods/${encodeURIComponent(pod)}`;
  return { url: `https://${address}:${port}${path}`, token, ca };
}

function annotationsOf(pod: unknown): Readonly<Record<string, string | undefined>> {
  if (!isObject(pod) || pod["kind"] !== "Pod" || !isObject(pod["metadata"]))
    throw new PodUnknownError("the Kubernetes API's answer is not a pod");
  const { annotations = {} } = pod["metadata"];
  if (!isObject(annotations)) throw new PodUnknownError("the pod's annotations are none");
  const texts = Object.entries(annotations).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(texts.map(([key, value]) => [key, String(value)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What most people have forgotten when the API refuses. */
function hintOf(error: unknown): string {
  const isForbidden = error instanceof HTTPError && error.response.statusCode === 403;
  return isForbidden ? ' (its service account needs "get" on "pods")' : "";
}
