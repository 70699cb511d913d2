import { isHelmMissing } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { chartedApps, variableOf } from "./apps.ts";
import { chartFile } from "./chart-files.ts";
import { containersOf, type Manifest, podTemplateOf } from "./manifest.ts";
import { merged } from "./merged.ts";
import { isOurs, problemsOf } from "./manifest-problems.ts";
import { podOf, render } from "./render.ts";

/** 1.25 is the oldest that the charts take; native sidecars begin with 1.29; 1.36 is the newest. */
const versions = ["1.25.0", "1.28.4", "1.29.0", "1.36.0"];
const modes = ["sidecar", "deployment"];
const secret = "s3cret-Value";

const secretStyles = {
  "existing secrets": () => ({ secrets: { existingSecret: "mine" } }),
  "secrets in the values": (secrets: readonly string[]) => ({
    secrets: { values: Object.fromEntries(secrets.map((variable) => [variable, secret])) },
  }),
};

/** Every option that makes objects. */
const allObjects = {
  metrics: {
    podMonitor: { enabled: true },
    prometheusRule: { enabled: true, labels: { release: "prometheus" } },
    dashboard: { enabled: true },
  },
  sidecar: { podLabels: { app: "qbittorrent" } },
  networkPolicy: { enabled: true },
  podDisruptionBudget: { enabled: true },
  serviceAccount: { create: true },
};

/** All of them with `--long`; otherwise only those that can differ: an own pod does not care for native sidecars. */
const isWanted = ({
  mode,
  style,
  kubernetes,
}: {
  mode: string;
  style: string;
  kubernetes: string;
}): boolean => {
  if (process.env.QBIT_SIDECARS_LONG === "1" || kubernetes === versions.at(-1)) return true;
  return style === "existing secrets" && (mode === "sidecar" || kubernetes === versions[0]);
};

const ofApps = chartedApps
  .flatMap((app) =>
    modes.flatMap((mode) =>
      Object.entries(secretStyles).flatMap(([style, secrets]) => {
        const given = { app: app.name, mode, style, secrets: secrets(app.secrets.map(variableOf)) };
        return versions.map((kubernetes) => ({ ...given, kubernetes }));
      }),
    ),
  )
  .filter(isWanted);

describe.skipIf(await isHelmMissing())("a chart alone", () => {
  test.for(ofApps)("$app as $mode, with $style, on Kubernetes $kubernetes", async (one) => {
    const example: object = parse(await chartFile(`${one.app}/ci/example-values.yaml`));
    const { app, mode, kubernetes, secrets } = one;
    const manifests = await render(app, {
      values: [example, ownPodNeeds(app, mode), allObjects, { mode }, secrets].reduce(merged),
      kubernetes,
    });
    expect(problemsOf(withPatchedPod(manifests))).toEqual([]);
    expect(leaks(manifests)).toEqual([]);
    expect(containersOf(podOf(manifests).spec).map(({ name }) => name)).toEqual([app]);
  });
});

const umbrella: object = parse(await chartFile("qbit-sidecars/ci/everything-values.yaml"));

const ofUmbrella = ["home-operations", "linuxserver"].flatMap((flavour) =>
  [true, false].flatMap((gluetun) =>
    [
      { native: "auto", kubernetes: "1.25.0" },
      { native: "auto", kubernetes: "1.29.0" },
      { native: "auto", kubernetes: "1.36.0" },
      { native: "false", kubernetes: "1.36.0" },
    ].map((cluster) => ({ flavour, gluetun, ...cluster })),
  ),
);

describe.skipIf(await isHelmMissing())("the umbrella", () => {
  test.for(ofUmbrella)(
    "with all apps, $flavour, gluetun: $gluetun, nativeSidecars: $native, on Kubernetes $kubernetes",
    async ({ flavour, gluetun, native, kubernetes }) => {
      const manifests = await render("qbit-sidecars", {
        values: merged(umbrella, {
          qbittorrent: { flavour },
          gluetun: { enabled: gluetun },
          global: { nativeSidecars: native },
        }),
        kubernetes,
      });
      expect(problemsOf(manifests)).toEqual([]);
      expect(oursIn(manifests).toSorted()).toEqual(chartedApps.map(({ name }) => name).toSorted());
    },
  );

  const alone = chartedApps.flatMap(({ name }) => modes.map((mode) => ({ app: name, mode })));

  test.for(alone)("with $app alone, as $mode", async ({ app, mode }) => {
    const off = Object.fromEntries(chartedApps.map(({ name }) => [name, { enabled: name === app }]));
    const manifests = await render("qbit-sidecars", {
      values: merged(umbrella, { ...off, [app]: { enabled: true, mode, ...allObjects } }),
    });
    expect(problemsOf(manifests)).toEqual([]);
    expect(oursIn(manifests)).toEqual([app]);
  });

  test("with nothing but its defaults is a qBittorrent", async () => {
    const manifests = await render("qbit-sidecars");
    expect(problemsOf(manifests)).toEqual([]);
    expect(manifests.map(({ kind }) => kind).toSorted()).toEqual([
      "ConfigMap",
      "PersistentVolumeClaim",
      "Service",
      "StatefulSet",
    ]);
  });
});

/** What an app has to be told when qBittorrent is not at localhost. */
function ownPodNeeds(app: string, mode: string): object {
  const isTold = mode === "sidecar" || !["port-sync", "pia-forwarder", "ntfy-sidecar"].includes(app);
  return isTold ? {} : { config: { qbittorrent: { url: "http://qbittorrent:8080" } } };
}

/** The pod that a sidecar's patch is meant for, in the place of the patch. */
function withPatchedPod(manifests: readonly Manifest[]): Manifest[] {
  if (!manifests.some(({ metadata }) => metadata.name.endsWith("-patch"))) return [...manifests];
  const { metadata, spec } = podOf(manifests);
  const brought = (spec.volumes ?? []).map(({ name }) => name);
  const missing = ["gluetun", "downloads"].filter((name) => !brought.includes(name));
  const pod = {
    ...spec,
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    volumes: [...(spec.volumes ?? []), ...missing.map((name) => ({ name, emptyDir: {} }))],
  };
  return [
    ...manifests,
    { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name: "patched" }, spec: pod },
  ];
}

/** Objects other than Secrets that hold a secret. */
function leaks(manifests: readonly Manifest[]): string[] {
  return manifests
    .filter((manifest) => manifest.kind !== "Secret" && JSON.stringify(manifest).includes(secret))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

/** The apps that run, once each. */
function oursIn(manifests: readonly Manifest[]): string[] {
  return manifests
    .filter(({ kind }) => kind !== "Pod")
    .flatMap((manifest) => containersOf(podTemplateOf(manifest)?.spec ?? { containers: [] }))
    .filter(isOurs)
    .map(({ name }) => name);
}
