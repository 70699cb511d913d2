import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isHelmMissing, isKubectlMissing, runKubectl, tempDir } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { chartedApps } from "./apps.ts";
import { chartFile } from "./chart-files.ts";
import { merged } from "./merged.ts";
import { podOf, render } from "./render.ts";

const isLacking = (await isHelmMissing()) || (await isKubectlMissing());

/** A qBittorrent as other charts make it. */
const foreign = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "qbittorrent" },
  spec: {
    selector: { matchLabels: { app: "qbittorrent" } },
    serviceName: "qbittorrent",
    template: {
      metadata: { labels: { app: "qbittorrent" } },
      spec: {
        initContainers: [{ name: "gluetun", image: "gluetun", restartPolicy: "Always" }],
        containers: [{ name: "qbittorrent", image: "qbittorrent" }],
        volumes: [
          { name: "gluetun", emptyDir: {} },
          { name: "downloads", emptyDir: {} },
        ],
      },
    },
  },
};

describe.skipIf(isLacking)("the patch that the notes tell of", () => {
  test.for(chartedApps.map(({ name }) => name))(
    "puts %s behind what is there, once however often",
    async (app) => {
      const example: object = parse(await chartFile(`${app}/ci/example-values.yaml`));
      const manifests = await render(app, { values: merged(example, { mode: "sidecar" }) });
      const patch =
        manifests.find(({ metadata }) => metadata.name === `t-${app}-patch`)?.data?.["patch.yaml"] ?? "";
      const once = await patched(foreign, patch);
      expect(once.spec.template.spec).toMatchObject({
        initContainers: [{ name: "gluetun" }, podOf(manifests).spec.initContainers?.[0]],
        containers: [{ name: "qbittorrent" }],
      });
      expect(await patched(once, patch)).toEqual(once);
    },
  );
});

async function patched(object: object, patch: string): Promise<typeof foreign> {
  await using dir = await tempDir();
  const [before, change] = [join(dir.path, "before.yaml"), join(dir.path, "patch.yaml")];
  await writeFile(before, stringify(object));
  await writeFile(change, patch);
  return JSON.parse(
    await runKubectl(["patch", "--local", "--filename", before, "--patch-file", change, "--output", "json"]),
  );
}
