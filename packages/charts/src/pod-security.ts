import { type Container, containersOf, type PodSpec } from "./manifest.ts";

/**
 * What in a pod the restricted Pod Security level does not allow, each with its path; nothing when it allows all. Every
 * control of the standard that a pod of these charts can touch.
 *
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 */
export function notRestricted(pod: PodSpec): string[] {
  const { securityContext: ofPod = {} } = pod;
  return [
    ...["hostNetwork", "hostPID", "hostIPC"].filter(
      (field) => (pod as Record<string, unknown>)[field] === true,
    ),
    ...(pod.volumes ?? []).flatMap(({ name, ...source }) =>
      Object.keys(source)
        .filter((kind) => !allowedVolumes.has(kind))
        .map((kind) => `volume ${name}: ${kind}`),
    ),
    ...(ofPod.runAsUser === 0 ? ["securityContext.runAsUser: 0"] : []),
    ...containersOf(pod).flatMap((container) =>
      inContainer(container, ofPod).map((problem) => `${container.name}: ${problem}`),
    ),
  ];
}

/** The same for one container that has to meet the level by itself, whatever its pod says. */
export function containerNotRestricted(container: Container): string[] {
  return inContainer(container, {});
}

const allowedVolumes = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

function inContainer(container: Container, ofPod: NonNullable<PodSpec["securityContext"]>): string[] {
  const { securityContext: own = {}, ports = [] } = container;
  const { drop = [], add = [] } = own.capabilities ?? {};
  const seccomp = (own.seccompProfile ?? ofPod.seccompProfile)?.type ?? "";
  return Object.entries({
    privileged: own.privileged !== true,
    "allowPrivilegeEscalation must be false": own.allowPrivilegeEscalation === false,
    "capabilities.drop must have ALL": drop.includes("ALL"),
    "capabilities.add may have NET_BIND_SERVICE only": add.every((name) => name === "NET_BIND_SERVICE"),
    "runAsNonRoot must be true": (own.runAsNonRoot ?? ofPod.runAsNonRoot) === true,
    "runAsUser must not be 0": own.runAsUser !== 0,
    "seccompProfile must be RuntimeDefault or Localhost": ["RuntimeDefault", "Localhost"].includes(seccomp),
    hostPort: ports.every((port) => !("hostPort" in port)),
    procMount: !("procMount" in own),
  })
    .filter(([, isAllowed]) => !isAllowed)
    .map(([problem]) => problem);
}
