import type { Container, Volume } from "../manifest.ts";
import { podOf, render } from "../render.ts";

/** What an app adds to a pod. */
export type SidecarPart = {
  readonly app: string;
  readonly container: Container;
  readonly volumes: readonly Volume[];
};

/** The values with which an app's chart makes the container that Kustomize and other charts get ready-made. */
export function readyMadeValues(app: string): object {
  return {
    mode: "sidecar",
    // Its settings, by the names of their variables, are in a ConfigMap and a Secret that bear the app's name.
    extraEnvFrom: [{ configMapRef: { name: app, optional: true } }],
    secrets: { existingSecret: app },
    // As all its secrets, in that Secret.
    token: app.startsWith("qbsync-") ? { enabled: false } : undefined,
    persistence: persistent.has(app) ? { enabled: false } : undefined,
    rules: app.startsWith("rules-") ? { existingConfigMap: "rules" } : undefined,
  };
}

const persistent = new Set(["pia-forwarder", "ntfy-sidecar", "rules-server"]);

/** The container of an app and its volumes, as its own chart makes them. @throws Error with what Helm said */
export async function sidecarPart(app: string, values = readyMadeValues(app)): Promise<SidecarPart> {
  const { spec } = podOf(await render(app, { values }));
  const [container, ...more] = spec.initContainers ?? [];
  if (container === undefined || more.length > 0) throw new Error(`${app}: it is not one container`);
  return { app, container, volumes: spec.volumes ?? [] };
}
