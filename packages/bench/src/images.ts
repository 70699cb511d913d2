import { buildAppImage, builtApps, planImages, runAppImage } from "@qbit-sidecars/e2e/app-images";
import { freePort, waitFor } from "@qbit-sidecars/testing";
import {
  type BakeTarget,
  type ContainerEngine,
  type RunningContainer,
  startEngine,
} from "@qbit-sidecars/testing/containers";
import { setTimeout as sleep } from "node:timers/promises";
import { megabytes, ratio, type Row } from "./figures.ts";
import { figuresOf, pulls, requests } from "./image-figures.ts";

/** What the documents the apps were built from hope for, of a static Go binary. */
const hoped = { imageBytes: 15e6, memory: "5–10 MB, hoped for of Go" };
const settleMs = 10_000;

/** What the images weigh in a registry, and what their containers take: idle, and after requests to their probes. */
export async function images(): Promise<Row[]> {
  await using engine = await startEngine();
  const plan = await planImages();
  const base = await engine.baseImage();
  const [baseBytes = 0] = await layerBytes(engine, base);
  await using bare = await engine.run({ image: base, args: ["-e", "setInterval(() => {}, 1e9)"] });
  const sizes: Row[] = [];
  const memory: Row[] = [];
  let ownBytes = 0;
  for (const app of builtApps) {
    const { image } = await buildAppImage(engine, plan[app]);
    const own = (await layerBytes(engine, image)).slice(await engine.layersOf(base)).reduce((a, b) => a + b);
    ownBytes += own;
    sizes.push({
      figure: figuresOf(app).own,
      value: `${(own / 1e3).toFixed(0)} kB`,
      baseline: `${megabytes(baseBytes)} the base that all share`,
      ratio: ratio(own, baseBytes),
      aim: "≤ 1 MB",
    });
    memory.push(...(await memoryOf({ engine, bare, image }, plan[app])));
  }
  const count = builtApps.length;
  const pull = (figure: string, bytes: number, times: number): Row => ({
    figure,
    value: megabytes(bytes),
    baseline: `${megabytes(times * hoped.imageBytes)}, hoped for of static Go binaries`,
    ratio: ratio(bytes, times * hoped.imageBytes),
    aim: "",
  });
  return [
    pull(pulls.one, baseBytes + ownBytes / count, 1),
    pull(pulls.all, baseBytes + ownBytes, count),
    ...sizes,
    ...memory,
  ];
}

async function layerBytes(engine: ContainerEngine, image: string): Promise<number[]> {
  await using contents = await engine.contents(image);
  const bytes: number[] = [];
  // One by one: the base alone is 180 MB in memory.
  for (const layer of contents.layers) bytes.push(await layer.compressedBytes());
  return bytes;
}

type Scene = { engine: ContainerEngine; bare: RunningContainer; image: string };

async function memoryOf({ engine, bare, image }: Scene, target: BakeTarget | undefined): Promise<Row[]> {
  const health = `127.0.0.1:${await freePort()}`;
  await using container = await runAppImage(engine, target, { image, health });
  const probe = async (path: string) => (await fetch(`http://${health}${path}`)).text();
  await waitFor(() => probe("/livez"), { what: `${image} to answer`, timeoutMs: 30_000 });
  const figures = figuresOf(target?.args["APP"] ?? "");
  const row = async (figure: string): Promise<Row> => {
    const node = await bare.memory();
    const app = await container.memory();
    return {
      figure,
      value: `${megabytes(app.privateBytes)} (${megabytes(app.totalBytes)})`,
      baseline: `${megabytes(node.privateBytes)} (${megabytes(node.totalBytes)}) bare node`,
      ratio: ratio(app.privateBytes, node.privateBytes),
      aim: hoped.memory,
    };
  };
  await sleep(settleMs);
  const idle = await row(figures.idle);
  for (let made = 0; made < requests; made += 2) await Promise.all([probe("/livez"), probe("/metrics")]);
  return [idle, await row(figures.after)];
}
