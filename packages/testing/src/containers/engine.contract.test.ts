import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freePort } from "../free-port.ts";
import { tempDir } from "../temp-dir.ts";
import { waitFor } from "../wait-for.ts";
import { isEngineMissing, startEngine } from "./index.ts";

/** An image whose process serves what it may and may not do, and ends with 7 on SIGTERM. */
const program = `
const fs = require("node:fs");
const denied = (path) => { try { fs.writeFileSync(path, ""); return false } catch { return true } };
const status = fs.readFileSync("/proc/self/status", "utf8");
const server = require("node:http").createServer((_, answer) => answer.end(JSON.stringify({
  uid: process.getuid(), capabilities: /CapEff:\\s*(\\w+)/.exec(status)[1], noNewPrivs: /NoNewPrivs:\\s*(\\d)/.exec(status)[1],
  readOnly: denied("/home/nonroot/x"), greeting: process.env.GREETING, args: process.argv.slice(2),
})));
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1");
process.on("SIGTERM", () => process.exit(7));
console.log("it runs");
`;

const manifests = (image: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: words }
data: { greeting: hello }
---
apiVersion: v1
kind: Service
metadata: { name: left-out }
spec: { ports: [{ port: 1 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: set }
spec:
  template:
    spec:
      initContainers:
        - { name: first, image: "${image}", command: [/nodejs/bin/node, -e, "fs.writeFileSync('/data/made', 'before')"], volumeMounts: [{ name: data, mountPath: /data }], securityContext: { runAsUser: 0 } }
        - name: sidecar
          image: "${image}"
          restartPolicy: Always
          env: [{ name: PORT, value: "9000" }, { name: GREETING, valueFrom: { configMapKeyRef: { name: words, key: greeting } } }]
          startupProbe: { httpGet: { port: 9000, path: / } }
          securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
      containers:
        - { name: main, image: "${image}", volumeMounts: [{ name: data, mountPath: /data }] }
  volumeClaimTemplates: [{ metadata: { name: data } }]
`;

/** What is not in the cache yet is made first. */
const timeout = 180_000;

describe.skipIf(await isEngineMissing())("a container engine", { timeout }, () => {
  test("builds an image on the base, the same one twice, and runs it with no rights at all", async () => {
    await using engine = await startEngine();
    await using context = await tempDir();
    const [id, again] = await buildTwice(engine, context.path);
    expect(again).toBe(id);
    const port = await freePort();
    const env = { PORT: String(port), GREETING: "hello world" };
    await using container = await engine.run({ image, env, args: ["one"] });
    const answer = () => fetch(`http://127.0.0.1:${port}/`).then((response) => response.json());
    expect(await waitFor(answer, { what: "the container to answer" })).toEqual({
      uid: 65_532,
      capabilities: "0000000000000000",
      noNewPrivs: "1",
      readOnly: true,
      greeting: "hello world",
      args: ["one"],
    });
    const { privateBytes, totalBytes } = await container.memory();
    expect(privateBytes).toBeGreaterThan(1e6);
    expect(totalBytes).toBeGreaterThan(privateBytes);
    expect(await container.exec(["/nodejs/bin/node", "-e", "process.exit(3)"])).toMatchObject({ code: 3 });
    expect((await container.exec(["/bin/sh"])).code).not.toBe(0);
    expect(await container.output()).toContain("it runs");
    expect(await container.stop()).toBe(7);
  });

  test("shows what an image is made of", async () => {
    await using engine = await startEngine();
    await using context = await tempDir();
    const [id] = await buildTwice(engine, context.path);
    await using contents = await engine.contents(image);
    expect(contents).toMatchObject({
      id,
      config: {
        User: "65532",
        Entrypoint: ["/nodejs/bin/node", "/main.js"],
      },
    });
    const own = contents.layers.at(-1);
    expect(own?.files).toMatchObject([{ path: "main.js", mode: "-r--r--r--", owner: "0/0" }]);
    expect(await own?.files[0]?.text()).toBe(program);
    expect(await own?.compressedBytes()).toBeLessThan(2000);
  });
});

describe.skipIf(await isEngineMissing("pods"))("a container engine that plays pods", { timeout }, () => {
  test("plays a StatefulSet with its init container, native sidecar, config map and volume", async () => {
    await using engine = await startEngine();
    await using context = await tempDir();
    await buildTwice(engine, context.path);
    await using pod = await engine.playPod(manifests(image));
    expect(pod.containers).toEqual(["sidecar", "main"]);
    const answer = async (port: number) => JSON.parse((await pod.fetch(`http://127.0.0.1:${port}/`)).body);
    expect(await waitFor(() => answer(9000), { what: "the sidecar" })).toMatchObject({
      greeting: "hello",
      readOnly: true,
    });
    expect(await waitFor(() => answer(8080), { what: "the main container" })).toMatchObject({
      readOnly: false,
    });
    expect(
      await pod.exec("main", ["/nodejs/bin/node", "-p", "fs.readFileSync('/data/made','utf8')"]),
    ).toEqual({
      code: 0,
      output: "before\n",
    });
    await pod.restart("sidecar");
    expect(await waitFor(() => answer(9000), { what: "the sidecar again" })).toMatchObject({
      greeting: "hello",
    });
    expect(await pod.output("sidecar")).toContain("it runs");
    expect(await pod.stop()).toEqual({ sidecar: 7, main: 7 });
  });
});

const image = "localhost/qbit-sidecars/engine-test:dev";

async function buildTwice(
  engine: Awaited<ReturnType<typeof startEngine>>,
  context: string,
): Promise<[string, string]> {
  const base = await engine.baseImage();
  await writeFile(join(context, "main.js"), program);
  await writeFile(
    join(context, "Dockerfile"),
    `FROM ${base}\nCOPY --chmod=0444 main.js /main.js\nENTRYPOINT ["/nodejs/bin/node", "/main.js"]\n`,
  );
  const build = () => engine.build({ context, tag: image, format: "oci" });
  return [await build(), await build()];
}
