import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runHelm, tempDir } from "@qbit-sidecars/testing";
import { parse, parseAllDocuments, stringify } from "yaml";
import { chartsFolder } from "./chart-files.ts";
import { type Manifest, podTemplateOf, type PodTemplate } from "./manifest.ts";

export type RenderOptions = {
  /** As an object, or the text of a values file. */
  values?: object | string;
  release?: string;
  /** The version of the cluster: "1.29.0". */
  kubernetes?: string;
};

/** What `helm install` of a chart would send to the cluster, tests included. @throws Error with what Helm said */
export async function render(chart: string, options: RenderOptions = {}): Promise<Manifest[]> {
  const documents = parseAllDocuments(await helmTemplate(chart, options));
  return documents.map((document): Manifest => document.toJS()).filter((manifest) => manifest !== null);
}

/** The same as text, and anything else that `helm template` can be asked for. */
export async function helmTemplate(
  chart: string,
  options: RenderOptions,
  more: string[] = [],
): Promise<string> {
  const { values = {}, release = "t", kubernetes = "1.36.0" } = options;
  await using dir = await tempDir();
  const file = join(dir.path, "values.yaml");
  await writeFile(file, typeof values === "string" ? values : stringify(values));
  const folder = fileURLToPath(new URL(chart, chartsFolder));
  return await runHelm([
    "template",
    release,
    folder,
    "--values",
    file,
    "--kube-version",
    kubernetes,
    ...more,
  ]);
}

/** The only object of a kind. */
export function one(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  const [only] = found;
  if (found.length !== 1 || only === undefined)
    throw new Error(`${found.length} objects are of kind ${kind}`);
  return only;
}

/** The pod with the app: of its own, or as the patch for a pod of another chart describes it. */
export function podOf(manifests: readonly Manifest[]): PodTemplate {
  const patch = manifests.find(({ metadata }) => metadata.name.endsWith("-patch"))?.data?.["patch.yaml"];
  if (patch === undefined) {
    const template = podTemplateOf(one(manifests, "Deployment"));
    if (template === undefined) throw new Error("it has no pod");
    return template;
  }
  const { template }: { template: PodTemplate } = parse(patch).spec;
  return { ...template, spec: { ...template.spec, containers: template.spec.containers ?? [] } };
}
