import { type Authority, certificateAuthority, tempDir } from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { PodIdentity } from "./pod-annotation.ts";

/** What the stand-in does when it is asked for the pod. */
export type Behaviour =
  | { annotations: Record<string, unknown> | undefined }
  | { status: number }
  | { body: string }
  | "hangs";

/** For tests: a Kubernetes API server with one pod, and the service account of that pod. */
export type KubernetesStandIn = AsyncDisposable & {
  identity: PodIdentity;
  /** The variables that the kubelet and the seed's pod spec set. */
  env: Record<string, string>;
  behaviour: Behaviour;
  /** Method, path and authorization of each request. */
  readonly requests: string[];
};

export const token = "eyJ.not-a-secret";

/** @param options `isTrusted: false`: the service account knows another authority than the server's */
export async function startKubernetes(options: { isTrusted?: boolean } = {}): Promise<KubernetesStandIn> {
  const authority = certificateAuthority("kubernetes");
  const trusted: Authority = options.isTrusted === false ? certificateAuthority("somebody else") : authority;
  const folder = await tempDir();
  for (const [name, text] of [
    ["token", `${token}\n`],
    ["ca.crt", trusted.cert],
    ["namespace", "media"],
  ] as const)
    await writeFile(join(folder.path, name), text);
  const server = createServer(authority.issue({ names: ["127.0.0.1", "kubernetes.default.svc"] }));
  const standIn = {
    behaviour: { annotations: {} } as Behaviour,
    requests: [] as string[],
  };
  server.on("request", (request, response) => {
    standIn.requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const { behaviour } = standIn;
    if (behaviour === "hangs") return;
    response.setHeader("content-type", "application/json");
    if ("status" in behaviour) {
      response.writeHead(behaviour.status).end(JSON.stringify({ kind: "Status", code: behaviour.status }));
      return;
    }
    const metadata = { name: "pod-1", namespace: "media", ...("annotations" in behaviour && behaviour) };
    response.end(
      "body" in behaviour ? behaviour.body : JSON.stringify({ kind: "Pod", apiVersion: "v1", metadata }),
    );
  });
  const port = await listening(server);
  return Object.assign(standIn, {
    identity: {
      host: "127.0.0.1",
      port: String(port),
      pod: "pod-1",
      namespace: undefined,
      serviceAccountDir: folder.path,
    },
    env: {
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String(port),
      POD_NAME: "pod-1",
      POD_NAMESPACE: "media",
      QBSYNC_SOURCE_SERVICE_ACCOUNT_DIR: folder.path,
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await folder[Symbol.asyncDispose]();
    },
  });
}

async function listening(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is one
  return (server.address() as AddressInfo).port;
}
