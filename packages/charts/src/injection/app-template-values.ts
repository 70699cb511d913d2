import { stringify } from "yaml";
import type { Container, Volume } from "../manifest.ts";
import type { SidecarPart } from "./sidecar-part.ts";

/**
 * Values for bjw-s' chart app-template that put an app into the pod of its controller `qbittorrent`. Written as its
 * library renders containers (charts/library/common of bjw-s-labs/helm-charts, templates/lib/container/_spec.tpl):
 * all is passed through but the image, the probes and the mounts, which stand below `persistence`.
 */
export function appTemplateValues({ app, container, volumes }: SidecarPart): object {
  const { name: _, image, imagePullPolicy, livenessProbe, readinessProbe, volumeMounts, ...rest } = container;
  const [repository, tag] = splitImage(image);
  const probe = (spec: object | undefined) => spec && { enabled: true, custom: true, spec };
  return {
    controllers: {
      qbittorrent: {
        initContainers: {
          [app]: {
            image: { repository, tag, pullPolicy: imagePullPolicy },
            ...rest,
            probes: { liveness: probe(livenessProbe), readiness: probe(readinessProbe) },
          },
        },
      },
    },
    persistence: Object.fromEntries(
      [...new Set(volumeMounts?.map(({ name }) => name))].map((name) => [
        name,
        {
          ...persistenceOf(volumes.find((volume) => volume.name === name)),
          advancedMounts: { qbittorrent: { [app]: mountsOf(container, name) } },
        },
      ]),
    ),
  };
}

/** The same as the text of a values file. */
export function appTemplateValuesFile(part: SidecarPart): string {
  const { app, volumes, container } = part;
  const foreign = container.volumeMounts
    ?.filter(({ name }) => !volumes.some((volume) => volume.name === name))
    .map(({ name }) => name);
  const hint = foreign?.length
    ? `# Say under persistence of what kind your volume ${[...new Set(foreign)].join(", ")} is, if you have not yet.\n`
    : "";
  return [
    "# Made by `npm run docs` from the chart of the app, for bjw-s' app-template:",
    `# helm upgrade qbittorrent … --values your-values.yaml --values ${app}.yaml`,
    `${hint}${stringify(appTemplateValues(part), { lineWidth: 0 })}`,
  ].join("\n");
}

function splitImage(image: string): [string, string] {
  const at = image.lastIndexOf(":");
  return [image.slice(0, at), image.slice(at + 1)];
}

function mountsOf({ volumeMounts = [] }: Container, volume: string): object[] {
  return volumeMounts
    .filter(({ name }) => name === volume)
    .map((given) => {
      const { name: _, mountPath, ...mount } = given;
      return { path: mountPath, ...mount };
    });
}

/** A volume that the pod has already keeps what it is. */
function persistenceOf(volume: Volume | undefined): object {
  if (volume === undefined) return {};
  if ("emptyDir" in volume) return { type: "emptyDir" };
  if ("configMap" in volume) return { type: "configMap", ...(volume["configMap"] as object) };
  const { name: _, ...volumeSpec } = volume;
  return { type: "custom", volumeSpec };
}
