import { isMissing, waitFor } from "@qbit-sidecars/testing";
import {
  buildQbittorrentImage,
  isBakeMissing,
  isEngineMissing,
  startEngine,
} from "@qbit-sidecars/testing/containers";
import { expect, test } from "vitest";
import { buildAppImage, planImages, repository } from "./app-images.ts";

const qbittorrent = "localhost/qbit-sidecars/qbittorrent:5.3.0";
const cannot =
  (await isEngineMissing("pods")) ||
  (await isBakeMissing(repository)) ||
  (await isMissing("qBittorrent 5.3.0"));

/** The shape of it: a native sidecar that meets the restricted Pod Security level, and gluetun's file on a volume. */
const manifest = (portSync: string) => `
apiVersion: v1
kind: Pod
metadata: { name: qbittorrent }
spec:
  securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532 }
  initContainers:
    - name: gluetun-stand-in
      image: "${portSync}"
      command: [/nodejs/bin/node, -e, "fs.writeFileSync('/tmp/gluetun/forwarded_port', '43210')"]
      volumeMounts: [{ name: gluetun, mountPath: /tmp/gluetun }]
    - name: port-sync
      image: "${portSync}"
      restartPolicy: Always
      env: [{ name: QBIT_ADDR, value: "http://localhost:8080" }]
      ports: [{ name: health, containerPort: 9101 }]
      livenessProbe: { httpGet: { path: /livez, port: health } }
      resources: { limits: { memory: 64Mi } }
      securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
      volumeMounts: [{ name: gluetun, mountPath: /tmp/gluetun, readOnly: true }]
  containers:
    - name: qbittorrent
      image: "${qbittorrent}"
      volumeMounts: [{ name: config, mountPath: /config }]
  volumes: [{ name: gluetun, emptyDir: {} }, { name: config, emptyDir: {} }]
`;

test.skipIf(cannot)(
  "in a pod, port-sync's image makes a real qBittorrent listen on the forwarded port",
  async () => {
    await using engine = await startEngine();
    await buildQbittorrentImage(engine, { tag: qbittorrent });
    const { "port-sync": target } = await planImages("1.2.3");
    const { image } = await buildAppImage(engine, target);
    await using pod = await engine.playPod(manifest(image));
    const ask = async (url: string) => (await pod.fetch(url)).body;
    const listens = async () =>
      JSON.parse(await ask("http://localhost:8080/api/v2/app/preferences")).listen_port === 43_210;
    await waitFor(listens, { what: "qBittorrent listening on 43210", timeoutMs: 60_000 }).catch(
      async (cause: unknown) => {
        throw new Error(`${await pod.output("port-sync")}\n${await pod.output("qbittorrent")}`, { cause });
      },
    );
    await waitFor(async () => JSON.parse(await ask("http://localhost:9101/status")).converged, {
      what: "port-sync content",
    });
    expect(await pod.fetch("http://localhost:9101/livez")).toMatchObject({ status: 200 });
    await pod.restart("qbittorrent");
    await waitFor(listens, { what: "qBittorrent listening on 43210 again", timeoutMs: 60_000 });
    expect(await pod.stop()).toMatchObject({ "port-sync": 0 });
  },
);
