import type { Logger } from "@qbit-sidecars/service";
import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import { afterEach, expect, test } from "vitest";
import type { DrainOutcome } from "./drain-loop.ts";
import { Drain, type DrainOptions } from "./drain.ts";
import { type Behaviour, type KubernetesStandIn, startKubernetes, token } from "./kubernetes-under-test.ts";
import { type PodIdentity, readPodAnnotation } from "./pod-annotation.ts";

const clock = new FakeClock();
const lines: string[] = [];
const all: DrainOutcome = { handedOff: 3, freedBytes: 3e9, left: [] };

afterEach(() => {
  lines.length = 0;
  if (clock.sleeping > 0) throw new Error("a timer was left open");
});

const log = {
  info: (...said: unknown[]) => lines.push(String(said.at(-1))),
  debug() {},
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the drain calls
} as unknown as Logger;

function drainOf(change: Partial<DrainOptions> = {}): { drain: Drain; drained: number[] } {
  const drained: number[] = [];
  const drain = new Drain({
    annotation: "qbsync/drain",
    readAnnotation: async () => "true",
    drain: async () => {
      drained.push(clock.monotonic());
      return all;
    },
    timeoutMs: 300_000,
    dryRun: false,
    clock,
    log,
    ...change,
  });
  return { drain, drained };
}

/** A drain before a real HTTPS server. */
function before(kubernetes: KubernetesStandIn, identity: Partial<PodIdentity> = {}, timeoutMs = 5000) {
  return drainOf({
    readAnnotation: (signal) =>
      readPodAnnotation("qbsync/drain", { ...kubernetes.identity, ...identity }, { timeoutMs, signal }),
  });
}

test('only exactly "true" drains', async () => {
  await using kubernetes = await startKubernetes();
  const { drain, drained } = before(kubernetes);
  kubernetes.behaviour = { annotations: { "qbsync/drain": "true", other: "x" } };
  expect(await drain.request("SIGTERM")).toEqual({ result: "drained", ...all });
  expect(drained).toHaveLength(1);
  expect(kubernetes.requests).toEqual([`GET /api/v1/namespaces/media/pods/pod-1 Bearer ${token}`]);
  expect(lines.at(-1)).toBe("drain: 3 torrents handed over, 3.0 GB freed; nothing is left");
});

const noes: [string, Behaviour, RegExp][] = [
  ["false", { annotations: { "qbsync/drain": "false" } }, /is "false", and not "true"/],
  ["TRUE", { annotations: { "qbsync/drain": "TRUE" } }, /is "TRUE"/],
  ["1", { annotations: { "qbsync/drain": "1" } }, /is "1"/],
  ["nothing", { annotations: { "qbsync/drain": "" } }, /is ""/],
  ["true with a space", { annotations: { "qbsync/drain": "true " } }, /is "true "/],
  ["a boolean, which no annotation is", { annotations: { "qbsync/drain": true } }, /has no annotation/],
  ["another annotation", { annotations: { "other/drain": "true" } }, /has no annotation/],
  ["no annotations", { annotations: undefined }, /has no annotation/],
  ["403", { status: 403 }, /needs "get" on "pods"/],
  ["401", { status: 401 }, /not known/],
  ["500", { status: 500 }, /not known/],
  ["a redirect", { status: 302 }, /not known/],
  ["no JSON", { body: "<html>" }, /not known/],
  [
    "JSON that is no pod",
    { body: '{"kind":"Status","metadata":{"annotations":{"qbsync/drain":"true"}}}' },
    /not a pod/,
  ],
];

test.each(noes)("%s does not, and it is said why", async (_, behaviour, why) => {
  await using kubernetes = await startKubernetes();
  kubernetes.behaviour = behaviour;
  const { drain, drained } = before(kubernetes);
  const report = await drain.request("SIGTERM");
  expect(report).toEqual({ result: "declined", why: expect.stringMatching(why) });
  expect(drained).toEqual([]);
  expect(JSON.stringify(report) + lines.join("")).not.toContain(token);
});

test("an API server that hangs, or is not the one that the service account trusts, is a no", async () => {
  await using kubernetes = await startKubernetes();
  kubernetes.behaviour = "hangs";
  const hanging = before(kubernetes, {}, 200);
  expect((await hanging.drain.request("SIGTERM")).result).toBe("declined");
  await using stranger = await startKubernetes({ isTrusted: false });
  stranger.behaviour = { annotations: { "qbsync/drain": "true" } };
  const strange = before(stranger);
  expect((await strange.drain.request("SIGTERM")).result).toBe("declined");
  expect(stranger.requests).toEqual([]);
  expect([...hanging.drained, ...strange.drained]).toEqual([]);
});

test.each<[string, Partial<PodIdentity>, RegExp]>([
  ["no pod", { host: undefined }, /^this is no pod of Kubernetes, .*POST \/drain/],
  ["POD_NAME is not set", { pod: undefined }, /POD_NAME is not set/],
  ["no token", { serviceAccountDir: "/nowhere" }, /is the service account's token mounted/],
  ["nobody there", { port: "1" }, /not known/],
])("%s is a no", async (_, identity, why) => {
  await using kubernetes = await startKubernetes();
  kubernetes.behaviour = { annotations: { "qbsync/drain": "true" } };
  const report = await before(kubernetes, identity).drain.request("SIGTERM");
  expect(report).toEqual({ result: "declined", why: expect.stringMatching(why) });
});

test("without an annotation to look for it always drains, and asks nobody", async () => {
  const { drain, drained } = drainOf({
    annotation: "",
    readAnnotation: () => Promise.reject(new Error("asked")),
  });
  expect((await drain.request("SIGTERM")).result).toBe("drained");
  expect(drained).toHaveLength(1);
});

test("all who ask while it drains wait for the same drain, and a later one is a new one", async () => {
  const work = Promise.withResolvers<DrainOutcome>();
  let begun = 0;
  const { drain } = drainOf({
    drain: () => {
      begun += 1;
      return work.promise;
    },
  });
  const asked = [drain.request("/drain"), drain.request("/drain"), drain.request("SIGTERM")];
  await waitFor(() => begun > 0, { what: "the drain to begin" });
  expect(drain.isRunning).toBe(true);
  work.resolve(all);
  expect(new Set((await Promise.all(asked)).map(({ result }) => result))).toEqual(new Set(["drained"]));
  expect(begun).toBe(1);
  expect(drain.isRunning).toBe(false);
  await drain.request("SIGTERM");
  expect(begun).toBe(2);
});

test("it ends with --drain-timeout, begins nothing more shortly before that, and says what stays", async () => {
  const mayBegin: boolean[] = [];
  const { drain } = drainOf({
    timeoutMs: 100_000,
    async drain(limits) {
      for (;;) {
        mayBegin.push(limits.mayBegin());
        if (limits.deadline.aborted) break;
        await clock.sleep(40_000, limits.deadline).catch(() => {});
      }
      return { handedOff: 1, freedBytes: 2e9, left: [{ name: "Debian", why: "it was late" }] };
    },
  });
  const asked = drain.request("SIGTERM");
  await clock.advanceUntil(() => drain.last !== undefined, { what: "its end" });
  expect((await asked).result).toBe("partly drained");
  expect(mayBegin).toEqual([true, true, false, false]);
  expect(lines.at(-1)).toBe("drain: 1 torrent handed over, 2.0 GB freed; 1 stay: Debian (it was late)");
});

test("what cannot be drained at all is told as one, and of many that stay the first five are named", async () => {
  const broken = drainOf({ annotation: "", drain: () => Promise.reject(new Error("no disk")) });
  expect(await broken.drain.request("SIGTERM")).toEqual({
    result: "partly drained",
    handedOff: 0,
    freedBytes: 0,
    left: [{ name: "all", why: "no disk" }],
  });
  const left = Array.from({ length: 7 }, (_, at) => ({ name: `t${at}`, why: "late" }));
  const slow = drainOf({ annotation: "", dryRun: true, drain: async () => ({ ...all, left }) });
  await slow.drain.request("SIGTERM");
  expect(lines.at(-1)).toMatch(/; 7 stay: t0 \(late\), .*t4 \(late\) and 2 more$/);
  expect(lines).toContain("SIGTERM: dry run: a drain would begin");
});
