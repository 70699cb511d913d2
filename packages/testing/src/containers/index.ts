export { bakePlan, type BakeTarget, isBakeMissing } from "./bake.ts";
export { type Architecture } from "./base-image.ts";
export {
  type ComposeEngine,
  type ComposeOptions,
  isComposeMissing,
  type RunningCompose,
  startCompose,
} from "./compose.ts";
export { type BuildOptions, type ContainerEngine, isEngineMissing, startEngine } from "./engine.ts";
export { emulatedNode } from "./emulated-node.ts";
export type { ImageConfig, ImageContents, ImageFile, ImageLayer } from "./image-contents.ts";
export { buildHomeOperationsImage } from "./home-operations-image.ts";
export { buildQbittorrentImage } from "./qbittorrent-image.ts";
export type { PodAnswer, PodOptions, RunningPod } from "./pod.ts";
export { buildValkeyImage } from "./valkey-image.ts";
export type { ContainerCommand, ContainerOptions, RunningContainer } from "./running-container.ts";
