/** The parts of Kubernetes' objects that tests look at. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
};

type SecretKey = { readonly name: string; readonly key: string; readonly optional?: boolean };

export type EnvVar = {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: SecretKey;
    readonly fieldRef?: { readonly fieldPath: string };
  };
};

export type Container = {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly restartPolicy?: string;
  readonly startupProbe?: object;
  readonly lifecycle?: object;
  readonly livenessProbe?: { readonly httpGet?: { readonly path: string; readonly port: number | string } };
  readonly readinessProbe?: { readonly httpGet?: { readonly path: string; readonly port: number | string } };
  readonly resources?: object;
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly VolumeMount[];
};

export type VolumeMount = { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean };

export type SecurityContext = {
  readonly runAsUser?: number;
  readonly runAsNonRoot?: boolean;
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
};

export type Volume = { readonly name: string; readonly [source: string]: unknown };

export type PodSpec = {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: SecurityContext & { readonly fsGroup?: number };
  readonly enableServiceLinks?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly serviceAccountName?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly affinity?: object;
};

export type PodTemplate = {
  readonly metadata: Manifest["metadata"];
  readonly spec: PodSpec;
};

/** The pods that a manifest makes: a pod itself, that of a workload, that of a patch. */
export function podTemplateOf({ kind, metadata, spec }: Manifest): PodTemplate | undefined {
  if (kind === "Pod") return { metadata, spec: spec as PodSpec };
  if (kind === "Deployment" || kind === "StatefulSet") return (spec as { template: PodTemplate }).template;
  return undefined;
}

/** All containers of a pod, those that run before it first. */
export function containersOf({ initContainers = [], containers }: PodSpec): readonly Container[] {
  return [...initContainers, ...containers];
}
