import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { runCommand } from "../servers/run-command.ts";
import { tempDir } from "../temp-dir.ts";
import type { EngineCommands } from "./engine-commands.ts";

export type ImageFile = {
  /** Without a leading slash. */
  path: string;
  /** As in "-r-xr-xr-x". */
  mode: string;
  /** Numbers of user and group, as in "0/0". */
  owner: string;
  sizeBytes: number;
  /** Empty for a folder. */
  text(this: void): Promise<string>;
};

export type ImageLayer = {
  sizeBytes: number;
  /** As registries store it, by gzip -6. */
  compressedBytes(): Promise<number>;
  files: readonly ImageFile[];
};

/** The image's configuration as the engines print it; only what we look at. */
export type ImageConfig = {
  User: string;
  WorkingDir: string;
  Entrypoint: readonly string[];
  Env: readonly string[];
  Labels: Readonly<Record<string, string>>;
  Healthcheck?: { Test: readonly string[] };
};

export type ImageContents = AsyncDisposable & {
  config: ImageConfig;
  architecture: string;
  /** Digest of the configuration, which names every layer: the same for the same image. */
  id: string;
  layers: readonly ImageLayer[];
};

type ArchiveManifest = [{ Config: string; Layers: string[] }];

/** Saves the image and looks into it; the layers can be asked until what is returned is disposed of. */
export async function readImage(engine: EngineCommands, image: string): Promise<ImageContents> {
  await using closers = new AsyncDisposableStack();
  const dir = closers.use(await tempDir("qbit-sidecars-image-"));
  const archive = join(dir.path, "image.tar");
  const format = engine.playsPods ? ["--format=docker-archive"] : [];
  await engine.command(["save", ...format, `--output=${archive}`, image]);
  await runCommand("tar", ["-C", dir.path, "-xf", archive]);
  const [manifest] = JSON.parse(await readFile(join(dir.path, "manifest.json"), "utf8")) as ArchiveManifest;
  const configText = await readFile(join(dir.path, manifest.Config), "utf8");
  const { config, architecture } = JSON.parse(configText) as { config: ImageConfig; architecture: string };
  const id = createHash("sha256").update(configText).digest("hex");
  const layers = await Promise.all(manifest.Layers.map((layer) => readLayer(join(dir.path, layer))));
  const resources = closers.move();
  return { config, architecture, id, layers, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function readLayer(tar: string): Promise<ImageLayer> {
  const listing = await runCommand("tar", ["--list", "--verbose", "--numeric-owner", "--file", tar]);
  const lines = listing.split("\n").filter(Boolean);
  return {
    sizeBytes: (await stat(tar)).size,
    compressedBytes: async () => (await promisify(gzip)(await readFile(tar))).length,
    files: lines.map((line) => fileOf(line, tar)),
  };
}

/** "-r-xr-xr-x 0/0  668510 1970-01-01 00:00 app/main.js", and "bin -> usr/bin" for a link. */
function fileOf(line: string, tar: string): ImageFile {
  const [mode = "", owner = "", size = "", , , ...name] = line.split(/\s+/u);
  const path = name
    .join(" ")
    .replace(/ -> .*$/u, "")
    .replace(/\/$/u, "");
  const text = () => runCommand("tar", ["--extract", "--to-stdout", "--file", tar, path]);
  return { path, mode, owner, sizeBytes: Number(size), text };
}
