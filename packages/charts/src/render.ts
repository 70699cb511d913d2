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
  const { kubernetes = "1.36.0" } = options;
  const printed = await helm(["template", "--kube-version", kubernetes], chart, options);
  return parseAllDocuments(printed)
    .map((document): Manifest => document.toJS())
    .filter((manifest) => manifest !== null);
}

/** What Helm tells the person who has installed a chart. */
export async function installNotes(chart: string, options: RenderOptions = {}): Promise<string> {
  const printed = await helm(["install", "--dry-run=client"], chart, options);
  return printed.slice(printed.indexOf("\nNOTES:\n"));
}

async function helm(
  command: readonly string[],
  chart: string,
  { values = {}, release = "t" }: RenderOptions,
): Promise<string> {
  await using dir = await tempDir();
  const file = join(dir.path, "values.yaml");
  await writeFile(file, typeof values === "string" ? values : stringify(values));
  const place = fileURLToPath(new URL(chart, chartsFolder));
  return await runHelm([...command, release, place, "--values", file]);
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
  const { template }: { template: PodTemplate } = parse(patch, withoutDirectives).spec;
  return { ...template, spec: { ...template.spec, containers: template.spec.containers ?? [] } };
}

/** What a strategic merge patch says about the merging is no part of the pod. */
function withoutDirectives(_: unknown, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("$")));
}
