import { readmeBlock } from "@qbit-sidecars/testing";
import { imagesBlock } from "./image-figures.ts";
import { figuresBlock, headlinesBlock, type Measured } from "./measured.ts";

const repository = new URL("../../../", import.meta.url);
const page = new URL("docs/figures.md", repository);
const readme = new URL("README.md", repository);

/**
 * Asserts that docs/figures.md and the README show what was measured last; with `UPDATE_DOCS=1` it makes them show it.
 */
export async function publishFigures(measured: Measured): Promise<void> {
  await readmeBlock(page, "bench", figuresBlock(measured));
  await readmeBlock(readme, "figures", headlinesBlock(measured));
  await readmeBlock(readme, "images", imagesBlock(measured));
}
