import { parseAllDocuments, stringify } from "yaml";

type Container = { name: string; restartPolicy?: string; [field: string]: unknown };
type PodSpec = {
  containers: Container[];
  initContainers?: Container[];
  volumes?: { name: string; [field: string]: unknown }[];
  [field: string]: unknown;
};
type Metadata = { name?: string; [field: string]: unknown };
type Manifest = {
  kind: string;
  metadata: Metadata;
  spec: PodSpec & {
    template: { metadata?: Metadata; spec: PodSpec };
    volumeClaimTemplates?: { metadata: Metadata }[];
  };
};

const probes = ["livenessProbe", "readinessProbe", "startupProbe"];

/**
 * Manifests as podman can play them: the one Pod, StatefulSet, Deployment or Job as a pod named `pod`, and the config
 * maps and secrets. All else (services, policies, accounts) is left out. In the pod:
 *
 * - native sidecars (`initContainers` with `restartPolicy: Always`) become ordinary containers, since podman waits for
 *   every init container to end (5.4);
 * - probes are left out: podman asks them with a curl inside the image, and ours have none;
 * - volumes that are claimed, or projected by the API server, become empty ones; those in memory, which podman would make
 *   anew for each container, too.
 */
export function playable(yaml: string, pod: string): { yaml: string; pod: string; containers: string[] } {
  const manifests = parseAllDocuments(yaml)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
  const workloads = manifests.filter(({ kind }) =>
    ["Pod", "StatefulSet", "Deployment", "Job"].includes(kind),
  );
  const [workload, ...more] = workloads;
  if (workload === undefined || more.length > 0)
    throw new Error(`playing a pod: ${workloads.length} workloads in the manifests, not one`);
  const spec = podSpec(workload);
  const template = workload.kind === "Pod" ? workload : workload.spec.template;
  const played = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...template.metadata, name: pod },
    spec,
  };
  const besides = manifests.filter(({ kind }) => kind === "ConfigMap" || kind === "Secret");
  return {
    yaml: [...besides, played].map((manifest) => stringify(manifest)).join("---\n"),
    pod,
    containers: spec.containers.map(({ name }) => name),
  };
}

function podSpec({ kind, spec }: Manifest): PodSpec {
  const {
    initContainers = [],
    containers,
    volumes = [],
    ...others
  } = kind === "Pod" ? spec : spec.template.spec;
  const isSidecar = ({ restartPolicy }: Container) => restartPolicy === "Always";
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata: { name = "" } }) => ({
    name,
    emptyDir: {},
  }));
  const { serviceAccountName: _, ...rest } = others;
  return {
    ...rest,
    initContainers: initContainers.filter((container) => !isSidecar(container)).map(withoutProbes),
    containers: [...initContainers.filter(isSidecar), ...containers].map(withoutProbes),
    volumes: [...volumes.map(emptied), ...claims],
  };
}

function withoutProbes(container: Container): Container {
  const fields = Object.entries(container).filter(
    ([field]) => field !== "restartPolicy" && !probes.includes(field),
  );
  return { ...Object.fromEntries(fields), name: container.name };
}

function emptied(volume: { name: string; [field: string]: unknown }) {
  const isElsewhere = ["persistentVolumeClaim", "projected", "ephemeral", "emptyDir"].some(
    (kind) => kind in volume,
  );
  return isElsewhere ? { name: volume.name, emptyDir: {} } : volume;
}
