import { readdir } from "node:fs/promises";
import { readPage, repository } from "../pages.ts";

/** What each app and package that ends up in an image is built on: names without the scope. */
export type Workspace = ReadonlyMap<string, ReadonlySet<string>>;

const scope = "@qbit-sidecars/";

/** Of the apps and of all that they are built on, by their package.json; what serves only development is left out. */
export async function readWorkspace(apps: readonly string[]): Promise<Workspace> {
  const folders = await Promise.all(
    ["apps", "packages"].map(async (parent) =>
      (await readdir(new URL(parent, repository))).map((name) => `${parent}/${name}`),
    ),
  );
  const all = new Map<string, ReadonlySet<string>>();
  for (const folder of folders.flat()) {
    const text = await readPage(`${folder}/package.json`);
    const { name, dependencies = {} }: { name: string; dependencies?: object } = JSON.parse(text);
    const ours = Object.keys(dependencies).filter((dependency) => dependency.startsWith(scope));
    all.set(name.slice(scope.length), new Set(ours.map((dependency) => dependency.slice(scope.length))));
  }
  const shipped = new Set(apps);
  for (const name of shipped) for (const below of all.get(name) ?? []) shipped.add(below);
  return new Map([...all].filter(([name]) => shipped.has(name)));
}

/** Without what follows from the rest: a → c where a → b → c. */
export function reduced(workspace: Workspace): Workspace {
  const reaches = (from: string, to: string): boolean =>
    [...(workspace.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  const direct = [...workspace].map(([name, below]) => {
    const rest = [...below].filter(
      (one) => ![...below].some((other) => other !== one && reaches(other, one)),
    );
    return [name, new Set(rest)] as const;
  });
  return new Map(direct);
}

/** How many stand above it, at most: 0 for one that nothing is built on. */
export function depthOf(name: string, workspace: Workspace): number {
  const above = [...workspace].filter(([, below]) => below.has(name));
  return Math.max(0, ...above.map(([user]) => depthOf(user, workspace) + 1));
}
