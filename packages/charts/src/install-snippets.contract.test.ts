import { glob, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { isHelmMissing, runHelm } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { chartsFolder } from "./chart-files.ts";

const repository = fileURLToPath(new URL("..", chartsFolder));

type Snippet = { readonly readme: string; readonly command: string };

/** Every `helm install` and `helm upgrade` of our charts that a README gives. */
async function snippets(): Promise<Snippet[]> {
  const found: Snippet[] = [];
  for await (const readme of glob(["README.md", "apps/*/README.md", "charts/*/README.md"], {
    cwd: repository,
  })) {
    const text = await readFile(`${repository}/${readme}`, "utf8");
    const commands =
      text
        .replaceAll("\\\n", " ")
        .match(/^helm (install|upgrade) \S+ oci:\/\/ghcr\.io\/qbit-sidecars\/.*$/gm) ?? [];
    found.push(...commands.map((command) => ({ readme, command })));
  }
  return found;
}

const all = await snippets();

describe.skipIf(await isHelmMissing())("what READMEs say to install", () => {
  test.for(all)("$readme: $command", async ({ command }) => {
    const [, , release = "", source = "", ...flags] = command.split(/ +/);
    const chart = /^oci:\/\/ghcr\.io\/qbit-sidecars\/charts\/([a-z-]+)$/.exec(source)?.[1];
    if (chart === undefined) throw new Error(`${source} is none of our charts`);
    const values = chart === "qbit-sidecars" ? "vpn-values.yaml" : "example-values.yaml";
    const given = flags
      .filter((flag) => flag !== "--reuse-values")
      .map((flag) => (flag === "values.yaml" ? `${repository}charts/${chart}/ci/${values}` : flag));
    const printed = runHelm(["template", release, `${repository}charts/${chart}`, ...given]);
    await expect(printed).resolves.toContain("apiVersion:");
  });

  test("is there in every README of a chart, and in that of the repository", () => {
    expect(all.map(({ readme }) => readme)).toEqual(
      expect.arrayContaining([
        "README.md",
        "charts/qbit-sidecars/README.md",
        "charts/rules-server/README.md",
      ]),
    );
  });
});
