/**
 * Why a torrent file gives no layout.
 *
 * - `malformed`: not a torrent file, or one that contradicts itself;
 * - `incomplete`: v2 piece layers are missing, as while a magnet link is being resolved: ask again later;
 * - `tooLarge`: beyond what is taken (see the limits of `readLayout`).
 */
export type LayoutFault = "malformed" | "incomplete" | "tooLarge";

/** The only error that `readLayout` throws; the message says what is wrong with the torrent file, and where. */
export class LayoutError extends Error {
  override readonly name = "LayoutError";
  readonly fault: LayoutFault;

  constructor(message: string, fault: LayoutFault = "malformed") {
    super(message);
    this.fault = fault;
  }
}
