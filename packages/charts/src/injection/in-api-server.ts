import { admit, isAdmissionMissing, isHelmMissing } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { chartedApps } from "../apps.ts";
import type { PodSpec } from "../manifest.ts";
import { render } from "../render.ts";
import { readyMadeValues, sidecarPart } from "./sidecar-part.ts";

const apps = chartedApps.map(({ name }) => name);
const isLacking = (await isHelmMissing()) || (await isAdmissionMissing());

/** Tests with the API server's own code, which takes minutes to compile. */
describe.skipIf(isLacking)("a pod, in an API server with the policies of the chart sidecar-injector", () => {
  test("gets every app that its annotation names, as its chart makes it", { timeout: 300_000 }, async () => {
    for (const app of apps) {
      const { container, volumes } = await sidecarPart(app);
      const { spec } = await admitted(` ${app} ,`);
      expect(spec.initContainers).toEqual([gluetun, asTyped(container)]);
      expect(spec.volumes).toEqual([{ name: "gluetun", emptyDir: {} }, ...volumes]);
      expect(spec.containers).toEqual([expect.objectContaining({ name: "qbittorrent" })]);
    }
  });

  test("gets all of them, and a label for each, even where it has no labels, volumes or init containers", async () => {
    const bare = { metadata: {}, spec: { containers: [{ name: "qbittorrent", image: "q" }] } };
    const pod = await admitted(apps.join(","), bare);
    expect(pod.spec.initContainers?.map(({ name }) => name)).toEqual(apps.toSorted());
    expect(pod.metadata.labels).toEqual(
      Object.fromEntries(apps.map((app) => [`${app}.qbit-sidecars.dev`, "injected"])),
    );
  });

  test("is left alone when it is met again, and when it has a container of that name already", async () => {
    const once = await admitted("port-sync,ntfy-sidecar");
    expect(await admit(await policies(), once)).toEqual(once);
    const own = { ...qbittorrent, initContainers: [{ name: "port-sync", image: "mine" }] };
    const pod = await admitted("port-sync", { metadata: {}, spec: own });
    expect(pod.spec.initContainers).toEqual([expect.objectContaining({ image: "mine" })]);
    expect(pod.metadata.labels).toBeUndefined();
  });

  test("without the annotation, or with an empty one, stays as it was", async () => {
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "q" }, spec: qbittorrent };
    expect(await admit(await policies(), pod)).toMatchObject({ metadata: { name: "q" }, spec: qbittorrent });
    expect((await admitted(" ,")).spec).toMatchObject(qbittorrent);
  });

  test("that names an app which is not there is refused, with the names that are", async () => {
    await expect(admitted("port-sink, port-sync")).rejects.toThrow(
      "annotation qbit-sidecars.dev/inject: port-sink is not enabled in the chart sidecar-injector; enabled are",
    );
  });
});

const gluetun = { name: "gluetun", image: "g", resources: {} };
const qbittorrent = {
  volumes: [{ name: "gluetun", emptyDir: {} }],
  initContainers: [{ name: "gluetun", image: "g" }],
  containers: [{ name: "qbittorrent", image: "q" }],
};

/** What is false by default is not said by the API server. */
const asTyped = (container: object): object =>
  JSON.parse(
    JSON.stringify(container, (key, value) => (key === "readOnly" && value === false ? undefined : value)),
  );

type Pod = { metadata: { labels?: Record<string, string> }; spec: PodSpec };

async function admitted(annotation: string, pod: object = { metadata: {}, spec: qbittorrent }): Promise<Pod> {
  const asking = {
    apiVersion: "v1",
    kind: "Pod",
    ...pod,
    metadata: { name: "q", annotations: { "qbit-sidecars.dev/inject": annotation } },
  };
  return (await admit(await policies(), asking)) as Pod;
}

async function policies(): Promise<object[]> {
  const values = Object.fromEntries(apps.map((app) => [app, { enabled: true, ...readyMadeValues(app) }]));
  const manifests = await render("sidecar-injector", { values });
  return manifests.filter(({ kind }) => kind.endsWith("AdmissionPolicy"));
}
