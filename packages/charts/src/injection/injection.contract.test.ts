import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isHelmMissing, isKubectlMissing, runHelm, runKubectl, tempDir } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { chartedApps } from "../apps.ts";
import { chartsFolder } from "../chart-files.ts";
import { type Container, type Manifest, podTemplateOf, type PodSpec, type Volume } from "../manifest.ts";
import { isOurs } from "../manifest-problems.ts";
import { containerNotRestricted } from "../pod-security.ts";
import { one, render } from "../render.ts";
import { strayFields } from "../strict-fields.ts";
import { appTemplateValues } from "./app-template-values.ts";
import { parseCelLiteral } from "./cel-literal.ts";
import { readyMadeValues, type SidecarPart, sidecarPart } from "./sidecar-part.ts";

const isLacking = (await isHelmMissing()) || (await isKubectlMissing());

describe.skipIf(isLacking).for(chartedApps.map(({ name }) => name))("the container of %s", (app) => {
  test("is the same in the pod of the umbrella chart", async () => {
    const { container, volumes } = await sidecarPart(app);
    const values = { global, ...othersOff(app), [app]: { enabled: true, ...readyMadeValues(app) } };
    const pod = podTemplateOf(one(await render("qbit-sidecars", { values }), "StatefulSet"))?.spec;
    expect(pod?.initContainers?.find(({ name }) => name === app)).toEqual(container);
    expect(pod?.volumes).toEqual(expect.arrayContaining([...volumes]));
  });

  test("is the same in another chart that includes its template", async () => {
    const part = await sidecarPart(app);
    expect(partOf(app, await foreignChart(app))).toEqual(part);
  });

  test("is the same in a StatefulSet and a Deployment that Kustomize puts it into, and in no other", async () => {
    const part = await sidecarPart(app);
    const [gluetun] = qbittorrent("StatefulSet").spec.template.spec.initContainers;
    for (const kind of ["StatefulSet", "Deployment"]) {
      const [patched, other] = await kustomized(app, [qbittorrent(kind), otherWorkload]);
      const pod = podTemplateOf(patched as Manifest)?.spec;
      expect(pod && partOf(app, pod)).toEqual(part);
      // Kustomize puts what a patch adds first; README.md of sidecar-lib says so.
      expect(pod?.initContainers?.map(({ name }) => name)).toEqual([app, "gluetun"]);
      expect(pod?.initContainers).toContainEqual(gluetun);
      expect(pod?.containers.map(({ name }) => name)).toEqual(["qbittorrent"]);
      expect(other).toEqual(otherWorkload);
      expect(patched && strayFields(patched)).toEqual([]);
      expect(pod?.initContainers?.filter(isOurs).flatMap(containerNotRestricted)).toEqual([]);
    }
  });

  test("is the same in the policy that injects it", async () => {
    const { container, volumes } = await sidecarPart(app);
    const values = { [app]: { enabled: true, ...readyMadeValues(app) } };
    const manifests = await render("sidecar-injector", { values });
    expect(manifests.flatMap(strayFields)).toEqual([]);
    const { mutations } = one(manifests, "MutatingAdmissionPolicy").spec as Policy;
    const expressions = mutations.map(({ jsonPatch }) => jsonPatch.expression);
    expect(literals(expressions.at(-1))).toEqual([container]);
    const injectedVolumes = expressions.length > 2 ? (literals(expressions[1]) as { volume: Volume }[]) : [];
    expect(injectedVolumes.map(({ volume }) => volume)).toEqual(volumes);
  });

  test("is the same in the values for app-template", async () => {
    const part = await sidecarPart(app);
    const values = parse(stringify(appTemplateValues(part))) as AppTemplateValues;
    expect(asAppTemplateRenders(app, values)).toEqual(part.container);
  });
});

if (process.env.QBIT_SIDECARS_LONG === "1") await import("./in-api-server.ts");

describe.skipIf(isLacking)("a Kustomize component", () => {
  test("takes its settings from a ConfigMap and a Secret that Kustomize generates", async () => {
    const objects = await kustomized("port-sync", [qbittorrent("StatefulSet")], {
      configMapGenerator: [{ name: "port-sync", literals: ["ON_PORT_LOST=park"] }],
      secretGenerator: [{ name: "port-sync", literals: ["QBIT_PASS=secret"] }],
    });
    const named = (kind: string) => one(objects, kind).metadata.name;
    const { initContainers = [] } = podTemplateOf(one(objects, "StatefulSet"))?.spec ?? {};
    const container = initContainers.find(({ name }) => name === "port-sync");
    expect(container).toMatchObject({ envFrom: [{ configMapRef: { name: named("ConfigMap") } }] });
    const password = container?.env?.find(({ name }) => name === "QBIT_PASS");
    expect(password?.valueFrom?.secretKeyRef?.name).toBe(named("Secret"));
  });
});

type Policy = { mutations: { jsonPatch: { expression: string } }[] };

/** The umbrella's qBittorrent as the user that sidecars are by default: who writes its data is always its user. */
const global = { qbittorrent: { uid: 65_532, gid: 65_532 } };

function othersOff(app: string): object {
  const others = chartedApps.filter(({ name }) => name !== app);
  return Object.fromEntries(others.map(({ name }) => [name, { enabled: false }]));
}

/** The literals between "+ [" and "]." of the policy's expression. */
function literals(expression: string | undefined): unknown[] {
  const text = /\+ \[\n(.*)\n\s*\]\.filter/s.exec(expression ?? "")?.[1];
  if (text === undefined) throw new Error("the policy has another form");
  return parseCelLiteral(`[${text}]`) as unknown[];
}

function partOf(app: string, { initContainers = [], volumes }: PodSpec): SidecarPart {
  const container = initContainers.find(({ name }) => name === app);
  if (container === undefined) throw new Error(`no init container is called ${app}`);
  // An empty list from a template is null.
  const own = (volumes ?? []).filter(({ name }) => name !== "gluetun" && name !== "downloads");
  return { app, container, volumes: own };
}

/** A chart of somebody else's, as the README of sidecar-lib tells to write it. */
async function foreignChart(app: string): Promise<PodSpec> {
  await using dir = await tempDir();
  await mkdir(join(dir.path, "templates"));
  await mkdir(join(dir.path, "charts"));
  await symlink(fileURLToPath(new URL(app, chartsFolder)), join(dir.path, "charts", app));
  const files = {
    "Chart.yaml": stringify({
      apiVersion: "v2",
      name: "mine",
      version: "1.0.0",
      dependencies: [{ name: app, version: "0.1.0" }],
    }),
    "values.yaml": stringify({ [app]: readyMadeValues(app) }),
    "templates/pod.yaml": foreignPod,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir.path, name), content);
  const printed = await runHelm(["template", "t", dir.path, "--kube-version", "1.36.0"]);
  const manifests = parseAllDocuments(printed).map((document): Manifest => document.toJS());
  const pod = podTemplateOf(one(manifests, "Pod"));
  if (pod === undefined) throw new Error("there is no pod");
  return pod.spec;
}

const foreignPod = `
apiVersion: v1
kind: Pod
metadata:
  name: qbittorrent
spec:
  enableServiceLinks: false
  initContainers:
    {{- include "sidecar-lib.nativeSidecars" . | nindent 4 }}
  containers:
    - name: qbittorrent
      image: example.org/qbittorrent:5
  volumes:
    {{- include "sidecar-lib.sidecarVolumes" . | nindent 4 }}
`;

const gluetunContainer = { name: "gluetun", image: "example.org/gluetun:3", restartPolicy: "Always" };

function qbittorrent(kind: string) {
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "mine", labels: { "app.kubernetes.io/name": "qbittorrent" } },
    spec: {
      selector: { matchLabels: { app: "mine" } },
      template: {
        metadata: { labels: { app: "mine" } },
        spec: {
          initContainers: [gluetunContainer],
          containers: [{ name: "qbittorrent", image: "example.org/qbittorrent:5" }],
          volumes: [{ name: "gluetun", emptyDir: {} }],
        },
      },
    },
  };
}

const otherWorkload = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "other" },
  spec: {
    selector: { matchLabels: { app: "other" } },
    template: {
      metadata: { labels: { app: "other" } },
      spec: { containers: [{ name: "other", image: "x" }] },
    },
  },
};

async function kustomized(app: string, objects: readonly object[], more: object = {}): Promise<Manifest[]> {
  await using dir = await tempDir();
  // Kustomize takes nothing from outside its root, so the component is copied beside it.
  const component = fileURLToPath(new URL(`kustomize/${app}`, chartsFolder));
  const overlay = join(dir.path, "overlay");
  await mkdir(overlay);
  await symlink(component, join(dir.path, "component"));
  await writeFile(join(overlay, "objects.yaml"), objects.map((object) => stringify(object)).join("---\n"));
  const kustomization = { resources: ["objects.yaml"], components: ["../component"], ...more };
  await writeFile(join(overlay, "kustomization.yaml"), stringify(kustomization));
  const printed = await runKubectl(["kustomize", overlay]);
  const built = parseAllDocuments(printed).map((document): Manifest => document.toJS());
  const order = ({ metadata }: Manifest) => (metadata.name === "mine" ? 0 : 1);
  return built.toSorted((a, b) => order(a) - order(b));
}

type AppTemplateValues = {
  controllers: { qbittorrent: { initContainers: Record<string, AppTemplateContainer> } };
  persistence: Record<
    string,
    { advancedMounts: { qbittorrent: Record<string, { path: string; readOnly?: boolean }[]> } }
  >;
};
type AppTemplateContainer = Omit<Container, "image" | "name"> & {
  image: { repository: string; tag: string; pullPolicy: string };
  probes: { liveness: { spec: object }; readiness: { spec: object } };
};

/** What app-template's library makes of a container's values; see `appTemplateValues`. */
function asAppTemplateRenders(app: string, { controllers, persistence }: AppTemplateValues): object {
  const given = controllers.qbittorrent.initContainers[app];
  if (given === undefined) throw new Error(`${app} is not there`);
  const { image, probes, ...others } = given;
  const mounts = Object.entries(persistence).flatMap(([name, { advancedMounts }]) =>
    (advancedMounts.qbittorrent[app] ?? []).map(({ path, ...mount }) => ({
      name,
      mountPath: path,
      ...mount,
    })),
  );
  return {
    ...others,
    name: app,
    image: `${image.repository}:${image.tag}`,
    imagePullPolicy: image.pullPolicy,
    livenessProbe: probes.liveness.spec,
    readinessProbe: probes.readiness.spec,
    ...(mounts.length > 0 && { volumeMounts: mounts }),
  };
}
