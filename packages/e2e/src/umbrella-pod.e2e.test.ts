import { isHelmMissing, runHelm, tempDir, waitFor } from "@qbit-sidecars/testing";
import {
  buildHomeOperationsImage,
  isBakeMissing,
  isEngineMissing,
  startEngine,
} from "@qbit-sidecars/testing/containers";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { parse, stringify } from "yaml";
import { buildAppImage, planImages, repository } from "./app-images.ts";

// The first time an image of a whole Debian system is made.
vi.setConfig({ testTimeout: 300_000 });

const qbittorrent = "localhost/qbit-sidecars/home-operations:5.1.0";
const cannot =
  (await isHelmMissing()) || (await isEngineMissing("pods")) || (await isBakeMissing(repository));
const chart = join(repository, "charts/qbit-sidecars");

/** The chart's own configuration, and nobody is looked for. */
async function initialConfig(): Promise<string> {
  const values = parse(await readFile(join(chart, "values.yaml"), "utf8"));
  const quiet = ["DHTEnabled", "PeXEnabled", "LSDEnabled"].map((name) => `Session\\${name}=false\n`);
  return values.qbittorrent.initialConfig.replace(
    "[BitTorrent]\n",
    `[BitTorrent]\n${quiet.join("")}Session\\Interface=lo\n`,
  );
}

/** gluetun, as far as port-sync sees it: somebody who writes a port into the file that they share. */
const gluetunStandIn = (image: string) => ({
  name: "gluetun-stand-in",
  image,
  command: ["/nodejs/bin/node", "-e"],
  args: ["fs.writeFileSync('/tmp/gluetun/forwarded_port', '43210'); setInterval(() => {}, 1e9)"],
  volumeMounts: [{ name: "gluetun", mountPath: "/tmp/gluetun" }],
});

async function umbrella(portSync: string): Promise<string> {
  await using dir = await tempDir();
  const file = join(dir.path, "values.yaml");
  const values = {
    qbittorrent: {
      image: { registry: "localhost", repository: "qbit-sidecars/home-operations", tag: "5.1.0" },
      initialConfig: await initialConfig(),
      extraContainers: [gluetunStandIn(portSync)],
    },
    "port-sync": { enabled: true, image: { tag: "1.2.3" } },
  };
  await writeFile(file, stringify(values));
  return await runHelm(["template", "t", chart, "--values", file, "--no-hooks", "--kube-version", "1.36.0"]);
}

test.skipIf(cannot)(
  "the pod of the umbrella chart: qBittorrent starts with the chart's configuration, and listens on the forwarded port",
  async () => {
    await using engine = await startEngine();
    await buildHomeOperationsImage(engine, { tag: qbittorrent });
    const { "port-sync": target } = await planImages("1.2.3");
    const { image } = await buildAppImage(engine, target);
    await using pod = await engine.playPod(await umbrella(image));
    const preferences = async () => {
      const { body } = await pod.fetch("http://localhost:8080/api/v2/app/preferences");
      return JSON.parse(body) as { listen_port: number; save_path: string; upnp: boolean };
    };
    const listens = async () => (await preferences()).listen_port === 43_210;
    await waitFor(listens, { what: "qBittorrent listening on 43210", timeoutMs: 90_000 }).catch(
      async (cause: unknown) => {
        const printed = await Promise.all(pod.containers.map(async (name) => await pod.output(name)));
        throw new Error(printed.join("\n"), { cause });
      },
    );
    expect(await preferences()).toMatchObject({ save_path: "/downloads", upnp: false });
    const status = async () => JSON.parse((await pod.fetch("http://localhost:9101/status")).body);
    await waitFor(async () => (await status()).converged, { what: "port-sync content", timeoutMs: 30_000 });
  },
);
