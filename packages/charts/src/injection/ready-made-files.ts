import { chartedApps } from "../apps.ts";
import { appTemplateValuesFile } from "./app-template-values.ts";
import { kustomizeComponent } from "./kustomize-component.ts";
import { sidecarPart } from "./sidecar-part.ts";

/** What is made from the apps' charts for those who do not install them, by its path below the charts' folder. */
export async function readyMadeFiles(): Promise<{ path: string; content: string }[]> {
  const parts = await Promise.all(chartedApps.map(async ({ name }) => await sidecarPart(name)));
  return parts.flatMap((part) => [
    ...kustomizeComponent(part),
    { path: `app-template/${part.app}.yaml`, content: appTemplateValuesFile(part) },
  ]);
}
