import { describe, expect, test } from "vitest";
import type { Manifest } from "./manifest.ts";
import { strayFields } from "./strict-fields.ts";

const deployment = (container: object): Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "x" },
  spec: { replicas: 1, template: { spec: { containers: [{ name: "x", ...container }] } } },
});

describe("the check of manifests", () => {
  test("has nothing against what Kubernetes knows", () => {
    expect(
      strayFields(deployment({ env: [{ name: "A", value: "1" }], ports: [{ containerPort: 1 }] })),
    ).toEqual([]);
  });

  test.for<[object, string]>([
    [{ enviroment: [] }, "Deployment.spec.template.spec.containers[0].enviroment is not known"],
    [
      { env: [{ name: "A", value: 1 }] },
      "Deployment.spec.template.spec.containers[0].env[0].value is 1, not a string",
    ],
    [{ ports: [{ containerPort: "1" }] }, '.ports[0].containerPort is "1", not a number'],
    [{ env: {} }, ".env is no list"],
    [{ resources: { limits: [] } }, ".resources.limits is no mapping"],
    [{ image: null }, ".image is null"],
  ])("tells of %j", ([container, problem]) => {
    expect(strayFields(deployment(container))).toEqual([expect.stringContaining(problem)]);
  });

  test("tells of a kind that Kubernetes does not have", () => {
    expect(strayFields({ ...deployment({}), kind: "Deploiment" })).toEqual([
      "Deploiment: there is no apps/v1",
    ]);
  });

  test("looks only at the metadata of custom resources", () => {
    const monitor = {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PodMonitor",
      metadata: { name: "x" },
      spec: 1,
    };
    expect(strayFields(monitor)).toEqual([]);
  });
});
