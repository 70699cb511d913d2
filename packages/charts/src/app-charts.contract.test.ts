import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { isHelmMissing, runHelm, tempDir } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { chartedApps } from "./apps.ts";
import { chartFile, chartsFolder } from "./chart-files.ts";
import { environmentOf } from "./container-environment.ts";
import { containersOf, type Manifest, podTemplateOf } from "./manifest.ts";
import { merged } from "./merged.ts";
import { installNotes, one, podOf, render } from "./render.ts";

const names = chartedApps.map(({ name }) => name);
const charts = [...names, "qbit-sidecars"];

/** The chart with its example values, some of them changed by lines of YAML. */
async function example(app: string, changes = ""): Promise<object> {
  return merged(parse(await chartFile(`${app}/ci/example-values.yaml`)), parse(changes) ?? {});
}

const withExample = async (app: string, changes = "") =>
  await render(app, { values: await example(app, changes) });

describe.skipIf(await isHelmMissing())("helm", () => {
  test.for(charts)("has nothing against %s when it lints", async (chart) => {
    const folder = fileURLToPath(new URL(chart, chartsFolder));
    for (const values of await readdir(new URL(`${chart}/ci/`, chartsFolder))) {
      await expect(
        runHelm(["lint", "--strict", folder, "--values", `${folder}/ci/${values}`]),
      ).resolves.toContain("0 chart(s) failed");
    }
  });

  test.for(charts)("packs %s into a file that installs the same objects", async (chart) => {
    await using dir = await tempDir();
    await runHelm(["package", fileURLToPath(new URL(chart, chartsFolder)), "--destination", dir.path]);
    const values = chart === "qbit-sidecars" ? { "port-sync": { enabled: true } } : await example(chart);
    const [packed = ""] = await readdir(dir.path);
    // A token is made anew by each rendering.
    const made = async (from: string) =>
      (await render(from, { values })).map(({ data: _token, ...manifest }) =>
        manifest.kind === "Secret" ? manifest : { ...manifest, data: _token },
      );
    expect(await made(`${dir.path}/${packed}`)).toEqual(await made(chart));
  });

  test.for(names)("can ask %s in a pod of its own for its health", async (app) => {
    const url = app.startsWith("rules-") ? "host" : "url";
    const changes = `mode: deployment\nconfig: { qbittorrent: { ${url}: "http://qbittorrent:8080" } }`;
    const manifests = await withExample(app, changes);
    const port = podOf(manifests).spec.containers[0]?.ports?.[0]?.containerPort;
    expect(one(manifests, "Pod")).toMatchObject({
      metadata: { annotations: { "helm.sh/hook": "test" } },
      spec: {
        containers: [{ args: ["healthcheck"], env: [{ name: "HEALTH_ADDR", value: `t-${app}:${port}` }] }],
      },
    });
  });
});

describe.skipIf(await isHelmMissing())("values that are wrong are refused, by name", () => {
  test.for([
    ["config: { sync_intervall: 60s }", "at '/config': additional properties 'sync_intervall' not allowed"],
    ["config: { qbittorrent: { password: x } }", "additional properties 'password' not allowed"],
    ["config: { port_index: 17 }", "at '/config/port_index': maximum: got 17, want 16"],
    ["config: { on_port_lost: stop }", "at '/config/on_port_lost': value must be one of 'keep', 'park'"],
    ["config: { disable_upnp: maybe }", "at '/config/disable_upnp': got string, want"],
    [
      "config: { gluetun: { addr: localhost } }",
      "at '/config/gluetun/addr': 'localhost' does not match pattern",
    ],
    ["mode: daemonset", "at '/mode': value must be one of 'sidecar', 'deployment'"],
    ["image: { tag: 1.10 }", "at '/image/tag': got number, want string"],
    ["image: { digest: abc }", "at '/image/digest': 'abc' does not match pattern"],
    ["ports: { health: 70000 }", "at '/ports/health': maximum: got 70,000, want 65,535"],
    ["replica: 2", "additional properties 'replica' not allowed"],
    [
      "secrets: { values: { QBIT_PAS: x } }",
      "at '/secrets/values': additional properties 'QBIT_PAS' not allowed",
    ],
    [
      "metrics: { podMonitor: { enabled: yes please } }",
      "at '/metrics/podMonitor/enabled': got string, want boolean",
    ],
  ])("%s", async ([changes, message]) => {
    await expect(withExample("port-sync", changes)).rejects.toThrow(message);
  });

  test.for([
    [
      "qbsync-source",
      "data: { existingClaim: null }",
      "data.existingClaim: which volume has qBittorrent's data?",
    ],
    [
      "port-sync",
      "mode: deployment",
      "config.qbittorrent.url: in a pod of its own port-sync has to be told where",
    ],
    ["rules-server", "secrets: { existingSecret: null }", "rules-server needs a QBT_RULES_SERVER_API_KEY"],
    ["rules-worker", "rules: { existingConfigMap: null }", "rules-worker has to be given the rules"],
    [
      "port-sync",
      "metrics: { podMonitor: { enabled: true } }",
      "sidecar.podLabels: which labels does the pod have",
    ],
    [
      "rules-server",
      "metrics: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } }",
      "podMonitor and serviceMonitor would both collect the same metrics",
    ],
  ] as const)("%s, where something is missing: %s", async ([app, changes, message]) => {
    await expect(withExample(app, changes)).rejects.toThrow(message);
  });

  test("but null in config is what it is in a config file: not set", async () => {
    const [container] = containersOf(
      podOf(await withExample("port-sync", "config: { on_port_lost: null }")).spec,
    );
    expect(container?.env?.map(({ name }) => name)).not.toContain("ON_PORT_LOST");
  });
});

describe.skipIf(await isHelmMissing())("the chart of an app", () => {
  test("takes its image from a mirror, and by digest", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const image = async (changes: string) => {
      const [container] = containersOf(podOf(await withExample("port-sync", changes)).spec);
      return container?.image;
    };
    const { appVersion }: { appVersion: string } = parse(await chartFile("port-sync/Chart.yaml"));
    expect(await image("")).toBe(`ghcr.io/qbit-sidecars/port-sync:${appVersion}`);
    expect(await image("global: { imageRegistry: mirror.local }")).toBe(
      `mirror.local/qbit-sidecars/port-sync:${appVersion}`,
    );
    expect(await image(`image: { tag: "1.2", digest: "${digest}" }`)).toBe(
      `ghcr.io/qbit-sidecars/port-sync@${digest}`,
    );
  });

  test("of qbsync-source gives it the Role of its README, and nothing else of the API", async () => {
    const manifests = await withExample("qbsync-source");
    const { rules } = one(manifests, "Role");
    expect(rules).toEqual([{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }]);
    expect(one(manifests, "RoleBinding")).toMatchObject({
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "t-qbsync-source" },
      subjects: [{ kind: "ServiceAccount", name: "t-qbsync-source" }],
    });
    expect(one(manifests, "ServiceAccount").metadata.name).toBe("t-qbsync-source");
    expect(podOf(manifests)).toMatchObject({
      metadata: { annotations: { "qbsync/drain": "false" } },
      spec: { serviceAccountName: "t-qbsync-source", terminationGracePeriodSeconds: 600 },
    });
  });

  test.for([
    ["600", 620],
    ["9m45s", 605],
    ["1h", 3620],
  ] as const)("of qbsync-source gives a drain of %s the time it may take", async ([timeout, needed]) => {
    const config = `config: { drain_timeout: ${JSON.stringify(timeout)} }`;
    await expect(withExample("qbsync-source", config)).rejects.toThrow(`it takes ${needed} at least`);
    const enough = `${config}\nterminationGracePeriodSeconds: ${needed}`;
    await expect(withExample("qbsync-source", enough)).resolves.toBeDefined();
  });

  test("of qbsync-destination asks for a token that it makes, and for certificates where there are some", async () => {
    const manifests = await withExample("qbsync-destination");
    expect(one(manifests, "Secret").metadata.name).toBe("t-qbsync-destination-token");
    const withTls = "tls: { existingSecret: certificate, clientCertificates: true }";
    const { spec } = podOf(await withExample("qbsync-destination", withTls));
    expect(
      environmentOf(containersOf(spec)[0] ?? { name: "", image: "" }, { qbittorrent: { password: "x" } }),
    ).toMatchObject({
      QBSYNC_DESTINATION_TOKEN_FILE: "/var/run/qbsync/token/token",
      QBSYNC_DESTINATION_TLS_CERT_FILE: "/var/run/qbsync/tls/tls.crt",
      QBSYNC_DESTINATION_TLS_KEY_FILE: "/var/run/qbsync/tls/tls.key",
      QBSYNC_DESTINATION_TLS_CLIENT_CA_FILE: "/var/run/qbsync/tls/ca.crt",
    });
    expect(spec.volumes).toContainEqual({
      name: "qbsync-destination-tls",
      secret: { secretName: "certificate", defaultMode: 0o444 },
    });
  });

  test("of qbsync-source shows the token of its values, and believes the authority in its Secret", async () => {
    const none = containersOf(podOf(await withExample("qbsync-source")).spec)[0];
    expect(none?.env?.map(({ name }) => name)).not.toContain("QBSYNC_SOURCE_TOKEN_FILE");
    const changes = "token: { existingSecret: qbsync }\ntls: { existingSecret: ca }";
    const [container = { name: "", image: "" }] = containersOf(
      podOf(await withExample("qbsync-source", changes)).spec,
    );
    const env = environmentOf(container, { qbittorrent: { password: "x" } });
    expect(env).toMatchObject({
      QBSYNC_SOURCE_TOKEN_FILE: "/var/run/qbsync/token/token",
      QBSYNC_SOURCE_TLS_CA_FILE: "/var/run/qbsync/tls/ca.crt",
    });
    expect(env).not.toHaveProperty("QBSYNC_SOURCE_TLS_CERT_FILE");
  });

  test("of an app whose secrets have a token makes none", async () => {
    const changes = `secrets: { values: { QBSYNC_DESTINATION_TOKEN: ${"a".repeat(32)} } }`;
    const manifests = await withExample("qbsync-destination", changes);
    expect(one(manifests, "Secret").metadata.name).toBe("t-qbsync-destination");
    expect(JSON.stringify(podOf(manifests))).not.toContain("TOKEN_FILE");
  });

  test.for(names)("of %s asks /readyz in a pod of its own, and /livez in qBittorrent's", async (app) => {
    const paths = async (mode: string) => {
      const url = app.startsWith("rules-") ? "host" : "url";
      const changes = `mode: ${mode}\nconfig: { qbittorrent: { ${url}: "http://qbittorrent:8080" } }`;
      const [container] = containersOf(podOf(await withExample(app, changes)).spec);
      return [container?.livenessProbe?.httpGet?.path, container?.readinessProbe?.httpGet?.path];
    };
    expect(await paths("deployment")).toEqual(["/livez", "/readyz"]);
    expect(await paths("sidecar")).toEqual(["/livez", "/livez"]);
  });

  test("reserves memory for every container, and limits it", async () => {
    for (const app of names) {
      const [container] = containersOf(podOf(await withExample(app)).spec);
      expect(container?.resources).toEqual({
        requests: { cpu: "10m", memory: expect.stringMatching(/^\d+Mi$/) },
        limits: { memory: expect.stringMatching(/^\d+[MG]i$/) },
      });
    }
  });

  test("finds its metrics in whichever pod it is: with its own labels or those it is told", async () => {
    const own = await withExample("rules-server", "metrics: { podMonitor: { enabled: true } }");
    expect(one(own, "PodMonitor")).toMatchObject({
      spec: {
        selector: { matchLabels: podTemplateOf(one(own, "Deployment"))?.metadata.labels },
        podMetricsEndpoints: [{ port: "rules-server", path: "/metrics" }],
      },
    });
    const labels = "sidecar: { podLabels: { app: qbittorrent } }\nmetrics: { podMonitor: { enabled: true } }";
    expect(one(await withExample("port-sync", labels), "PodMonitor")).toMatchObject({
      spec: {
        selector: { matchLabels: { app: "qbittorrent" } },
        podMetricsEndpoints: [{ port: "port-sync" }],
      },
    });
  });

  test("makes nothing that was not asked for", async () => {
    const kinds = (manifests: readonly Manifest[]) => manifests.map(({ kind }) => kind).toSorted();
    expect(kinds(await withExample("port-sync"))).toEqual(["ConfigMap"]);
    expect(kinds(await withExample("rules-worker"))).toEqual(["Deployment", "Pod", "Service"]);
  });

  test("keeps two rules-workers apart from everything that must not run twice", async () => {
    const strategy = async (app: string) => one(await withExample(app), "Deployment").spec;
    expect(await strategy("rules-worker")).toMatchObject({
      replicas: 2,
      strategy: { type: "RollingUpdate" },
    });
    expect(await strategy("qbsync-source")).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
  });

  test.for([
    ["rules-worker", [80, 443, 6379, 8080]],
    ["qbsync-source", [80, 443, 6443, 8080, 50_051]],
    ["qbsync-destination", [80, 443, 8080]],
  ] as const)("of %s lets it out to what it needs where policies are on", async ([app, ports]) => {
    const { spec } = one(await withExample(app, "networkPolicy: { enabled: true }"), "NetworkPolicy");
    const { egress } = spec as { egress: { ports: { port: number }[] }[] };
    const open = egress.flatMap((rule) => rule.ports.map(({ port }) => port)).filter((port) => port !== 53);
    expect(open.toSorted((a, b) => a - b)).toEqual(ports);
  });

  test("of rules-server takes schedules as its config file has them", async () => {
    const schedule =
      "schedule: [{ cron: 0 4 * * *, context: scheduled }, { cron: '*/5 * * * *', dry_run: true }]";
    const [container] = containersOf(podOf(await withExample("rules-server", schedule)).spec);
    expect(container?.env).toEqual(
      expect.arrayContaining([
        { name: "QBT_RULES_SCHEDULE_1_CRON", value: "0 4 * * *" },
        { name: "QBT_RULES_SCHEDULE_1_CONTEXT", value: "scheduled" },
        { name: "QBT_RULES_SCHEDULE_2_CRON", value: "*/5 * * * *" },
        { name: "QBT_RULES_SCHEDULE_2_DRY_RUN", value: "true" },
      ]),
    );
    await expect(withExample("rules-server", "schedule: [{ context: x }]")).rejects.toThrow(
      "at '/schedule/0': missing property 'cron'",
    );
  });

  test.for(names)("of %s says what to do next", async (app) => {
    const notes = await installNotes(app, { values: await example(app) });
    const isSidecar = (await chartFile(`${app}/values.yaml`)).includes("\nmode: sidecar");
    expect(notes).toContain(
      isSidecar ? `get configmap t-${app}-patch` : `rollout status deployment/t-${app}`,
    );
  });
});
