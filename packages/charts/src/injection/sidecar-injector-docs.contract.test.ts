import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { isHelmMissing, readmeBlock, runHelm, tempDir } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { chartFile, chartsFolder } from "../chart-files.ts";
import { render } from "../render.ts";

const chart = "sidecar-injector";
const folder = fileURLToPath(new URL(chart, chartsFolder));
const example = await chartFile(`${chart}/ci/example-values.yaml`);
const kubernetes = "1.36.0";

describe.skipIf(await isHelmMissing())("the chart sidecar-injector", () => {
  test("is fine to Helm, packed and unpacked", async () => {
    const values = ["--values", `${folder}/ci/example-values.yaml`, "--kube-version", kubernetes];
    await expect(runHelm(["lint", "--strict", folder, ...values])).resolves.toContain("0 chart(s) failed");
    await using dir = await tempDir();
    await runHelm(["package", folder, "--destination", dir.path]);
    const packed = await render(`${dir.path}/${chart}-${await version()}.tgz`, { values: example });
    expect(packed).toEqual(await render(chart, { values: example }));
  });

  test.for([
    ["an app's mode", { "port-sync": { enabled: true, mode: "deployment" } }, "/port-sync/mode"],
    ["an unknown app", { "port-sink": { enabled: true } }, "'port-sink' not allowed"],
    [
      "an app's setting",
      { "port-sync": { enabled: true, config: { on_port_lost: "flee" } } },
      "on_port_lost",
    ],
    ["what is done with unknown apps", { unknownApps: "Ignore" }, "'Deny', 'Warn'"],
    ["no app at all", {}, "no app is enabled"],
  ] as const)("refuses %s that is wrong, and says what", async ([, values, message]) => {
    await expect(render(chart, { values })).rejects.toThrow(message);
  });

  test("says that Kubernetes is too old", async () => {
    await expect(render(chart, { values: example, kubernetes: "1.35.0" })).rejects.toThrow(
      "kubeVersion: >=1.36",
    );
  });

  test("limits itself to the release's namespace, unless told otherwise", async () => {
    const selectors = async (values: object) =>
      (await render(chart, { values: { ...parse(example), ...values } }))
        .filter(({ kind }) => kind.endsWith("PolicyBinding"))
        .map(
          ({ spec }) =>
            (spec as { matchResources: { namespaceSelector: object } }).matchResources.namespaceSelector,
        );
    const own = { matchLabels: { "kubernetes.io/metadata.name": "default" } };
    expect(await selectors({})).toEqual([own, own]);
    const media = { matchLabels: { team: "media" } };
    expect(await selectors({ namespaceSelector: media })).toEqual([media, media]);
  });

  test("shows in its README the example that it is tested with", async () => {
    const readme = new URL(`${chart}/README.md`, chartsFolder);
    await expect(readmeBlock(readme, "example", `\`\`\`yaml\n${example}\`\`\``)).resolves.toBeUndefined();
  });
});

async function version(): Promise<string> {
  return (parse(await readFile(`${folder}/Chart.yaml`, "utf8")) as { version: string }).version;
}
