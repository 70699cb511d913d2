import { isShortList } from "@qbit-sidecars/rules";
import type { Clock } from "@qbit-sidecars/service";

/** A qBittorrent that is loading has its whole list long before; torrents that were removed are still missing. */
const believedAfterMs = 3_600_000;

/**
 * How many torrents qBittorrent has, as the next list is to be compared with. A list that lost most of them is not
 * believed at once: each run while it is loading would make the next one look right.
 */
export class LastTotal {
  readonly #clock: Pick<Clock, "monotonic">;
  #shortSince: number | undefined;
  value: number | undefined;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  note(total: number): void {
    const now = this.#clock.monotonic();
    const isShort = isShortList(total, this.value);
    if (isShort) this.#shortSince ??= now;
    else this.#shortSince = undefined;
    if (this.#shortSince !== undefined && now - this.#shortSince < believedAfterMs) return;
    this.#shortSince = undefined;
    this.value = total;
  }
}
