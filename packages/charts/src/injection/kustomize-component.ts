import { stringify } from "yaml";
import type { SidecarPart } from "./sidecar-part.ts";

/** A file, by its path below the charts' folder. */
type MadeFile = { readonly path: string; readonly content: string };

const made = "# Made by `npm run docs` from the chart of the app.\n";

/**
 * A Kustomize component that puts an app into the pod of qBittorrent: into the Deployment or StatefulSet that has
 * qBittorrent's name in the recommended label.
 */
export function kustomizeComponent({ app, container, volumes }: SidecarPart): MadeFile[] {
  const patch = { path: "sidecar.yaml" };
  const labelSelector = "app.kubernetes.io/name=qbittorrent";
  const component = {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    patches: ["Deployment", "StatefulSet"].map((kind) => ({ target: { kind, labelSelector }, ...patch })),
  };
  // The target says which object is patched; kind and name here are only there because a patch must have them.
  const sidecar = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "qbittorrent" },
    spec: {
      template: {
        spec: { initContainers: [container], volumes: volumes.length > 0 ? volumes : undefined },
      },
    },
  };
  return [
    { path: `kustomize/${app}/kustomization.yaml`, content: made + stringify(component) },
    { path: `kustomize/${app}/sidecar.yaml`, content: made + stringify(sidecar, { lineWidth: 0 }) },
  ];
}
