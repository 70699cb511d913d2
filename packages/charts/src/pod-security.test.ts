import { describe, expect, test } from "vitest";
import type { PodSpec, SecurityContext } from "./manifest.ts";
import { notRestricted } from "./pod-security.ts";

const allowed: SecurityContext = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

const pod = (change: object, more: object = {}): PodSpec => ({
  containers: [{ name: "a", image: "a", securityContext: { ...allowed, ...change } }],
  ...more,
});

describe("the check against the restricted Pod Security level", () => {
  test("has nothing against a container that gives up all it can", () => {
    expect(notRestricted(pod({}))).toEqual([]);
  });

  test.for<[object, string]>([
    [{ runAsNonRoot: undefined }, "a: runAsNonRoot must be true"],
    [{ runAsUser: 0 }, "a: runAsUser must not be 0"],
    [{ allowPrivilegeEscalation: undefined }, "a: allowPrivilegeEscalation must be false"],
    [{ capabilities: { drop: ["NET_RAW"] } }, "a: capabilities.drop must have ALL"],
    [
      { capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] } },
      "a: capabilities.add may have NET_BIND_SERVICE only",
    ],
    [{ seccompProfile: undefined }, "a: seccompProfile must be RuntimeDefault or Localhost"],
    [{ privileged: true }, "a: privileged"],
  ])("refuses %j", ([change, problem]) => {
    expect(notRestricted(pod(change))).toEqual([problem]);
  });

  test("refuses the host's network and files", () => {
    const more = { hostNetwork: true, volumes: [{ name: "tun", hostPath: { path: "/dev/net/tun" } }] };
    expect(notRestricted(pod({}, more))).toEqual(["hostNetwork", "volume tun: hostPath"]);
  });

  test("looks at init containers too", () => {
    const init = { name: "b", image: "b", securityContext: { ...allowed, runAsNonRoot: false } };
    expect(notRestricted(pod({}, { initContainers: [init] }))).toEqual(["b: runAsNonRoot must be true"]);
  });
});
