import { isHelmMissing } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { chartFile } from "./chart-files.ts";
import { environmentOf } from "./container-environment.ts";
import { type Container, containersOf, type Manifest, type PodSpec, podTemplateOf } from "./manifest.ts";
import { merged } from "./merged.ts";
import { isOurs } from "./manifest-problems.ts";
import { notRestricted } from "./pod-security.ts";
import { installNotes, one, render, type RenderOptions } from "./render.ts";

const everything: string = await chartFile("qbit-sidecars/ci/everything-values.yaml");

/** All apps, gluetun and Valkey, with some values changed by lines of YAML. */
const withAll = async (changes = "", options: RenderOptions = {}) =>
  await render("qbit-sidecars", { values: merged(parse(everything), parse(changes) ?? {}), ...options });

const companions = ["ntfy-sidecar", "pia-forwarder", "port-sync", "qbsync-destination", "rules-server"];

describe.skipIf(await isHelmMissing())("qBittorrent's pod", () => {
  test("starts gluetun, then the sidecars, then qBittorrent", async () => {
    const { initContainers, containers } = podOfQbittorrent(await withAll());
    expect(namesOf(initContainers)).toEqual(["initial-config", "gluetun", ...companions]);
    expect(initContainers?.slice(1).map(({ restartPolicy }) => restartPolicy)).toEqual(
      ["gluetun", ...companions].map(() => "Always"),
    );
    expect(namesOf(containers)).toEqual(["qbittorrent"]);
  });

  test("has ordinary containers where Kubernetes knows no native sidecars, or they are not wanted", async () => {
    for (const manifests of [
      await withAll("", { kubernetes: "1.28.4" }),
      await withAll("global: { nativeSidecars: false }"),
    ]) {
      const { initContainers, containers } = podOfQbittorrent(manifests);
      expect(namesOf(initContainers)).toEqual(["initial-config"]);
      expect(namesOf(containers)).toEqual(["qbittorrent", "gluetun", ...companions]);
      expect(containers.every(({ restartPolicy }) => restartPolicy === undefined)).toBe(true);
    }
  });

  test("cannot wait in a circle: what starts before qBittorrent waits neither for it nor for the tunnel", async () => {
    const { initContainers = [] } = podOfQbittorrent(await withAll());
    const waits = initContainers.filter(({ startupProbe }) => startupProbe !== undefined);
    expect(namesOf(waits)).toEqual(["gluetun"]);
    expect(waits[0]?.startupProbe).toMatchObject({ exec: { command: ["nc", "-z", "127.0.0.1", "8000"] } });
  });

  test("stays ready while the VPN is down: sidecars are asked /livez, gluetun nothing", async () => {
    const ready = containersOf(podOfQbittorrent(await withAll()))
      .filter(({ readinessProbe }) => readinessProbe)
      .map(({ name, readinessProbe }) => [name, readinessProbe?.httpGet?.path ?? "tcp"]);
    expect(Object.fromEntries(ready)).toEqual({
      qbittorrent: "tcp",
      ...Object.fromEntries(companions.map((name) => [name, "/livez"])),
    });
  });

  test("has the ports of the design, which gluetun's firewall lets in and the Service offers", async () => {
    const manifests = await withAll();
    const containers = containersOf(podOfQbittorrent(manifests));
    const ports = portsOf(
      containers.flatMap((container) => container.ports ?? []).map((port) => port.containerPort),
    );
    expect(ports).toEqual([5000, 8080, 9101, 9102, 9103, 9107, 50_051]);
    const gluetun = environmentOf(named(containers, "gluetun"), {});
    expect(portsOf(gluetun["FIREWALL_INPUT_PORTS"]?.split(",").map(Number))).toEqual(ports);
    const service = manifests.find(
      ({ kind, metadata }) => kind === "Service" && metadata.name === "t-qbittorrent",
    );
    const offered = service?.spec as { ports: { port: number }[] } | undefined;
    expect(portsOf(offered?.ports.map(({ port }) => port))).toEqual(ports);
  });

  test("shares gluetun's port file with port-sync, in memory", async () => {
    const pod = podOfQbittorrent(await withAll());
    const mounts = ["gluetun", "port-sync"].map((name) => mountOf(named(containersOf(pod), name), "gluetun"));
    expect(mounts).toMatchObject([
      { mountPath: "/tmp/gluetun" },
      { mountPath: "/tmp/gluetun", readOnly: true },
    ]);
    expect(pod.volumes).toContainEqual({ name: "gluetun", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } });
  });

  test("knows where qBittorrent is, and lets localhost in without a password from the first start on", async () => {
    const manifests = await render("qbit-sidecars", { values: "port-sync: { enabled: true }" });
    const portSync = named(containersOf(podOfQbittorrent(manifests)), "port-sync");
    expect(environmentOf(portSync, {})).toEqual({ QBIT_ADDR: "http://localhost:8080", HEALTH_ADDR: ":9101" });
    const conf = manifests.find(({ metadata }) => metadata.name === "t-qbittorrent-initial-config");
    expect(conf?.data?.["qBittorrent.conf"]).toContain("WebUI\\LocalHostAuth=false\nWebUI\\Port=8080\n");
  });

  test("is restarted when a secret in the values changes, and not when only the chart's version does", async () => {
    const annotations = async (secret: string) =>
      podTemplateOf(
        statefulSet(await withAll(`ntfy-sidecar: { secrets: { values: { NTFY_TOPIC: ${secret} } } }`)),
      )?.metadata;
    const [first, again, other] = [await annotations("a"), await annotations("a"), await annotations("b")];
    expect(first).toEqual(again);
    expect(other).not.toEqual(first);
    expect(Object.keys(first?.labels ?? {})).not.toContain("helm.sh/chart");
  });
});

describe.skipIf(await isHelmMissing())("the restricted Pod Security level", () => {
  test("is met by all pods with home-operations' image and without gluetun, and the notes say so", async () => {
    const changes = "gluetun: { enabled: false }";
    for (const { spec } of podsIn(await withAll(changes))) expect(notRestricted(spec)).toEqual([]);
    expect(await notes(changes)).toContain("All of it meets the restricted Pod Security level.");
  });

  test("is met by all that CI installs in such a namespace, its tests too", async () => {
    const values = await chartFile("qbit-sidecars/ci/restricted-values.yaml");
    const pods = (await render("qbit-sidecars", { values }))
      .map(podTemplateOf)
      .filter((pod) => pod !== undefined);
    expect(pods).toHaveLength(5);
    for (const { spec } of pods) expect(notRestricted(spec)).toEqual([]);
  });

  test.for([
    ["qbittorrent: { flavour: linuxserver }\ngluetun: { enabled: false }", "linuxserver's image", "baseline"],
    ["gluetun: { enabled: true }", "gluetun", "privileged"],
  ] as const)(
    "is not met with %j, and the notes say what the namespace must allow",
    async ([changes, who, level]) => {
      const pod = podOfQbittorrent(await withAll(changes));
      expect(notRestricted(pod)).not.toEqual([]);
      expect(await notes(changes)).toContain(`The namespace must allow what ${who} needs`);
      expect(await notes(changes)).toContain(`pod-security.kubernetes.io/enforce=${level}`);
    },
  );
});

describe.skipIf(await isHelmMissing())("qbsync-source", () => {
  test("is in a pod of its own, beside qBittorrent and with its downloads", async () => {
    const manifests = await withAll();
    const pod = podTemplateOf(deployment(manifests, "t-qbsync-source"))?.spec;
    expect(namesOf(pod?.containers)).toEqual(["qbsync-source"]);
    expect(pod?.volumes).toContainEqual({
      name: "downloads",
      persistentVolumeClaim: { claimName: "t-qbittorrent-downloads" },
    });
    expect(mountOf(named(pod?.containers ?? [], "qbsync-source"), "downloads")).toMatchObject({
      readOnly: true,
    });
    expect(JSON.stringify(pod?.affinity)).toContain('"app.kubernetes.io/name":"qbittorrent"');
    const shared = await withAll("global: { downloads: { accessModes: [ReadWriteMany] } }");
    expect(podTemplateOf(deployment(shared, "t-qbsync-source"))?.spec.affinity).toBeUndefined();
  });

  test.for(["deployment", "sidecar"])(
    "alone has POD_NAME, POD_NAMESPACE and a token, as %s",
    async (mode) => {
      const manifests = await withAll(`qbsync-source: { mode: ${mode} }`);
      const containers = podsIn(manifests).flatMap(({ spec }) => containersOf(spec));
      const withPodName = containers.filter(({ env = [] }) =>
        env.some(({ name }) => name.startsWith("POD_NAME")),
      );
      const withToken = containers.filter(({ volumeMounts = [] }) =>
        volumeMounts.some(({ mountPath }) => mountPath.includes("serviceaccount")),
      );
      expect([namesOf(withPodName), namesOf(withToken)]).toEqual([["qbsync-source"], ["qbsync-source"]]);
      expect(podsIn(manifests).every(({ spec }) => spec.automountServiceAccountToken === false)).toBe(true);
      const itsPod = podsIn(manifests).find(({ spec }) =>
        namesOf(containersOf(spec)).includes("qbsync-source"),
      );
      expect(itsPod?.spec.serviceAccountName).toBe("t-qbsync-source");
      expect(itsPod?.metadata.annotations).toMatchObject({ "qbsync/drain": "false" });
      expect(itsPod?.spec.terminationGracePeriodSeconds).toBe(600);
    },
  );

  test("in qBittorrent's pod drains before qBittorrent is told to stop, and all of it has the time", async () => {
    const pod = podOfQbittorrent(
      await withAll("qbsync-source: { mode: sidecar, config: { drain_timeout: 20m } }"),
    );
    const port = named(containersOf(pod), "qbsync-source").ports?.[0]?.containerPort;
    expect(named(containersOf(pod), "qbittorrent").lifecycle).toEqual({
      preStop: { httpGet: { path: "/drain?wait", port } },
    });
    expect(pod.terminationGracePeriodSeconds).toBe(1200 + 120);
    expect(named(containersOf(podOfQbittorrent(await withAll())), "qbittorrent").lifecycle).toBeUndefined();
    await expect(
      withAll("qbsync-source: { mode: sidecar, config: { drain_annotation: '' } }"),
    ).rejects.toThrow(
      "qbsync-source.config.drain_annotation: in qBittorrent's pod the kubelet asks for a drain",
    );
  });
});

describe.skipIf(await isHelmMissing())("the token of qbsync", () => {
  const tokenOf = (manifests: readonly Manifest[]) =>
    ["qbsync-source", "qbsync-destination"].map((app) => {
      const pod = podsIn(manifests).find(({ spec }) => namesOf(containersOf(spec)).includes(app))?.spec;
      const mount = mountOf(named(containersOf(pod ?? { containers: [] }), app), `${app}-peer`);
      return [mount?.mountPath, pod?.volumes?.find(({ name }) => name === `${app}-peer`)?.secret];
    });
  const as = (secretName: string, key = "token") => {
    const secret = { secretName, defaultMode: 0o444, items: [{ key, path: "token" }] };
    return ["/var/run/qbsync/token", secret];
  };

  test("is made once for both sides, and stays when the release goes", async () => {
    const changes =
      "qbsync-source: { token: { existingSecret: '' } }\nqbsync-destination: { token: { existingSecret: '' } }";
    const manifests = await withAll(changes);
    expect(tokenOf(manifests)).toEqual([as("t-qbsync-token"), as("t-qbsync-token")]);
    const made = one(manifests, "Secret");
    expect(made.metadata).toMatchObject({
      name: "t-qbsync-token",
      annotations: { "helm.sh/resource-policy": "keep" },
    });
    expect(Buffer.from(made.data?.["token"] ?? "", "base64").toString()).toMatch(/^[A-Za-z0-9]{43}$/);
  });

  test("can be one that is there, under any key, or be left out", async () => {
    const changes =
      "qbsync-source: { token: { existingSecret: mine, key: x } }\nqbsync-destination: { token: { enabled: false } }";
    const manifests = await withAll(changes);
    expect(tokenOf(manifests)).toEqual([as("mine", "x"), [undefined, undefined]]);
    expect(manifests.filter(({ kind }) => kind === "Secret")).toEqual([]);
  });
});

describe.skipIf(await isHelmMissing())("Valkey", () => {
  test("of the chart's own holds the queue of rules-server and rules-worker", async () => {
    const manifests = await withAll();
    const worker = podTemplateOf(deployment(manifests, "t-rules-worker"))?.spec.containers ?? [];
    const server = containersOf(podOfQbittorrent(manifests));
    for (const container of [named(worker, "rules-worker"), named(server, "rules-server")]) {
      expect(environmentOf(container, { qbittorrent: {}, "qbt-rules": {} })).toMatchObject({
        QBT_RULES_QUEUE_BACKEND: "redis",
        QBT_RULES_QUEUE_REDIS_URL: "redis://t-valkey:6379/0",
      });
    }
    expect(podTemplateOf(statefulSet(manifests, "t-valkey"))?.spec.containers).toMatchObject([
      { image: "docker.io/valkey/valkey:8.1-alpine", args: expect.arrayContaining(["noeviction"]) },
    ]);
    expect(JSON.stringify(manifests)).not.toMatch(/bitnami/i);
  });

  test("or a Redis is needed for rules-worker", async () => {
    await expect(withAll("global: { valkey: { enabled: false } }")).rejects.toThrow(
      "rules-worker shares its queue with rules-server in a Redis or Valkey",
    );
  });
});

describe.skipIf(await isHelmMissing())("secrets", () => {
  test("that are there already are used, and none is made", async () => {
    expect((await withAll()).filter(({ kind }) => kind === "Secret")).toEqual([]);
  });

  test("of qBittorrent are named once for all apps, whatever other Secret an app has", async () => {
    const manifests = await withAll();
    const passwords = podsIn(manifests)
      .flatMap(({ spec }) => containersOf(spec).filter(isOurs))
      .flatMap(({ env = [] }) => env)
      .filter(({ name }) => /(QBIT|QB|QBITTORRENT)_(PASS|PASSWORD)$/.test(name));
    expect(passwords.map(({ valueFrom }) => valueFrom?.secretKeyRef)).toEqual(
      passwords.map(() => ({ name: "qbittorrent", key: "QBIT_PASS", optional: true })),
    );
    expect(passwords).toHaveLength(7);
  });
});

describe.skipIf(await isHelmMissing())("the notes", () => {
  test.for([
    ["port-sync: { enabled: true }", "port-sync waits for a forwarded port, and nobody forwards one"],
    ["pia-forwarder: { enabled: true }", "pia-forwarder has no user name of PIA yet"],
    ["pia-forwarder: { enabled: true }", "through the tunnel, and there is none"],
    ["ntfy-sidecar: { enabled: true }", "ntfy-sidecar does not start without a topic"],
    ["qbsync-source: { enabled: true }", "qbsync-source does not start without qbsync-destination's address"],
    ["qbsync-destination: { enabled: true }", "the other side needs the same one (its token.existingSecret)"],
  ] as const)("to %s say what is still missing: %s", async ([values, missing]) => {
    expect(await installNotes("qbit-sidecars", { values: parse(values) })).toContain(missing);
    expect(await notes("{}")).not.toContain(missing);
  });
});

describe.skipIf(await isHelmMissing())("names", () => {
  test("of Services make no variable that an app reads, whatever the release is called", async () => {
    const manifests = await withAll("rules-server: { mode: deployment }", { release: "qbt" });
    const services = manifests.filter(({ kind }) => kind === "Service").map(({ metadata }) => metadata.name);
    // A Service qbt-rules-server would give every pod QBT_RULES_SERVER_PORT=tcp://…
    expect(services).toContain("qbt-rules-server-svc");
    expect(services).not.toContain("qbt-rules-server");
  });
});

/** The notes for a person, with some values changed by lines of YAML. */
async function notes(changes: string): Promise<string> {
  return await installNotes("qbit-sidecars", { values: merged(parse(everything), parse(changes)) });
}

function statefulSet(manifests: readonly Manifest[], name = "t-qbittorrent"): Manifest {
  return one(
    manifests.filter(({ metadata }) => metadata.name === name),
    "StatefulSet",
  );
}

function deployment(manifests: readonly Manifest[], name: string): Manifest {
  return one(
    manifests.filter(({ metadata }) => metadata.name === name),
    "Deployment",
  );
}

function podOfQbittorrent(manifests: readonly Manifest[]): PodSpec {
  const pod = podTemplateOf(statefulSet(manifests));
  if (!pod) throw new Error("there is no pod of qBittorrent");
  return pod.spec;
}

const portsOf = (ports: readonly number[] = []): number[] => ports.toSorted((a, b) => a - b);

/** Pods that stay: not those of tests. */
function podsIn(manifests: readonly Manifest[]) {
  return manifests
    .filter(({ kind }) => kind !== "Pod")
    .map(podTemplateOf)
    .filter((pod) => pod !== undefined);
}

function named(containers: readonly Container[], name: string): Container {
  const found = containers.find((container) => container.name === name);
  if (!found) throw new Error(`there is no container ${name}`);
  return found;
}

const namesOf = (containers: readonly Container[] = []): string[] => containers.map(({ name }) => name);

const mountOf = ({ volumeMounts = [] }: Container, volume: string) =>
  volumeMounts.find(({ name }) => name === volume);
