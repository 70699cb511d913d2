import { readmeBlock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { type Endpoint, endpoints } from "./endpoints.ts";

function row([path, endpoint]: [string, Endpoint]): string {
  const { method, since, before, formerly, once, about } = endpoint;
  const names = [
    ...(before === undefined ? [] : [`\`${before.path}\` before ${before.version}`]),
    ...Object.entries(formerly ?? {}).map(([now, then]) => `\`${now}\` was \`${then}\``),
  ];
  return `| ${method} | \`${path}\` | ${since} | ${endpoint.until ?? ""} | ${names.join(", ")} | ${once === true ? "no" : "yes"} | ${about} |`;
}

test("the README lists every endpoint", async () => {
  const head = ["| | path | since | until | formerly | repeated | for |", "|---|---|---|---|---|---|---|"];
  const table = [...head, ...Object.entries(endpoints).map(row)].join("\n");
  await expect(
    readmeBlock(new URL("../README.md", import.meta.url), "endpoints", table),
  ).resolves.toBeUndefined();
});
