export { LayoutError, type LayoutFault } from "./layout-error.ts";
export { PieceSet } from "./piece-set.ts";
export { readLayout } from "./read-layout.ts";
export type { LayoutFile, PieceVerifier, Slice, TorrentLayout } from "./torrent-layout.ts";
