import { chartedApps } from "./apps.ts";
import {
  type Container,
  containersOf,
  type Manifest,
  type PodSpec,
  type PodTemplate,
  podTemplateOf,
} from "./manifest.ts";
import { containerNotRestricted } from "./pod-security.ts";
import { strayFields } from "./strict-fields.ts";

/** What is wrong with the objects of a release, whatever its values: nothing, if all is well. */
export function problemsOf(manifests: readonly Manifest[]): string[] {
  return [
    ...manifests.flatMap(strayFields),
    ...doubled(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)),
    ...manifests.flatMap(({ kind, metadata: { name } }) =>
      name.length > 63 ? [`${kind} ${name}: too long`] : [],
    ),
    ...manifests.flatMap((manifest) => {
      const template = podTemplateOf(manifest);
      return template ? inPod(template.spec, manifest) : [];
    }),
    ...manifests.flatMap((manifest) => (manifest.kind === "Service" ? inService(manifest, manifests) : [])),
  ];
}

/** A container of one of the apps rather than qBittorrent, gluetun or Valkey. */
export function isOurs({ image }: Container): boolean {
  return image.includes("qbit-sidecars/");
}

function inPod(pod: PodSpec, { kind, metadata, spec }: Manifest): string[] {
  const containers = containersOf(pod);
  const ports = containers.flatMap((container) => container.ports ?? []);
  const claims = (spec as { volumeClaimTemplates?: Manifest[] }).volumeClaimTemplates ?? [];
  const volumes = [
    ...(pod.volumes ?? []).map(({ name }) => name),
    ...claims.map((claim) => claim.metadata.name),
  ];
  const where = `${kind} ${metadata.name}`;
  return [
    ...doubled(containers.map(({ name }) => `container ${name}`)),
    ...doubled(ports.map(({ containerPort }) => `port ${containerPort}`)),
    ...doubled(ports.map(({ name }) => `port ${name}`)),
    ...doubled(volumes.map((name) => `volume ${name}`)),
    ...containers.flatMap((container) => inContainer(container, volumes)),
    ...(pod.enableServiceLinks === false ? [] : ["service links are on"]),
    ...(pod.automountServiceAccountToken === false ? [] : ["every container gets a token"]),
  ].map((problem) => `${where}: ${problem}`);
}

function inContainer(container: Container, volumes: readonly string[]): string[] {
  const { name, env = [], volumeMounts = [], ports = [] } = container;
  const health = container.livenessProbe?.httpGet;
  return [
    ...doubled(env.map((variable) => `variable ${variable.name}`)),
    ...doubled(volumeMounts.map(({ mountPath }) => `mount at ${mountPath}`)),
    ...volumeMounts.flatMap((mount) =>
      volumes.includes(mount.name) ? [] : [`there is no volume ${mount.name}`],
    ),
    ...(isOurs(container) ? containerNotRestricted(container) : []),
    ...(health && !ports.some(({ containerPort }) => containerPort === health.port)
      ? ["probes another port"]
      : []),
  ].map((problem) => `${name}: ${problem}`);
}

function inService({ metadata, spec }: Manifest, manifests: readonly Manifest[]): string[] {
  const { selector, ports } = spec as {
    selector: Record<string, string>;
    ports: { name: string; port: number; targetPort: string }[];
  };
  const pods = manifests
    .filter(({ kind }) => kind !== "Pod")
    .map(podTemplateOf)
    .filter((pod): pod is PodTemplate => pod !== undefined && isSelected(pod, selector));
  const open = pods.flatMap(({ spec: pod }) =>
    containersOf(pod).flatMap((container) => container.ports ?? []),
  );
  return [
    ...(pods.length === 1 ? [] : [`selects ${pods.length} pods`]),
    ...ports.flatMap(({ targetPort }) =>
      open.some(({ name }) => name === targetPort) ? [] : [`no container has a port ${targetPort}`],
    ),
    ...linksThatMatter(metadata.name, ports),
  ].map((problem) => `Service ${metadata.name}: ${problem}`);
}

function isSelected({ metadata }: PodTemplate, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value);
}

/**
 * Variables that Kubernetes makes of a Service in the other pods of its namespace and that an app reads.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function linksThatMatter(service: string, ports: readonly { name: string; port: number }[]): string[] {
  const prefix = service.toUpperCase().replaceAll("-", "_");
  const links = ports.flatMap(({ name, port }) => [
    `${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll("-", "_")}`,
    ...["", "_PROTO", "_PORT", "_ADDR"].map((end) => `${prefix}_PORT_${port}_TCP${end}`),
  ]);
  const all = new Set([`${prefix}_PORT`, `${prefix}_SERVICE_HOST`, `${prefix}_SERVICE_PORT`, ...links]);
  return chartedApps.flatMap(({ name, declared }) =>
    declared
      .flatMap(({ env }) => env)
      .filter((variable) => all.has(variable))
      .map((variable) => `makes ${variable}, which ${name} reads`),
  );
}

function doubled(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
    (name) => `${name}: twice`,
  );
}
