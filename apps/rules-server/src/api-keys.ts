import type { Secret } from "@qbit-sidecars/config";
import type { Clock, Logger } from "@qbit-sidecars/service";
import { createHash, timingSafeEqual } from "node:crypto";

/** A rotated key is noticed after so long at the latest; while nobody asks nothing is read. */
const readAgainMs = 1000;

/** The keys that clients may show: one or several, by commas or lines. */
export class ApiKeys {
  readonly #secret: Pick<Secret, "current">;
  readonly #clock: Clock;
  readonly #log: Logger;
  #text: string;
  #digests: readonly Buffer[];
  #readAt: number;
  #refused = 0;

  constructor(secret: Secret, { clock, log }: { clock: Clock; log: Logger }) {
    this.#secret = secret;
    this.#clock = clock;
    this.#log = log;
    this.#text = secret.reveal();
    this.#digests = digestsOf(this.#text);
    this.#readAt = clock.monotonic();
  }

  /** Takes the same time whatever the key is: digests of one length are compared, and all of them. */
  async accept(key: string | undefined): Promise<boolean> {
    await this.#readAgain();
    const shown = digest(key ?? "");
    let isKnown = false;
    for (const known of this.#digests) isKnown = timingSafeEqual(shown, known) || isKnown;
    if (!isKnown) this.#noteRefusal();
    return isKnown && key !== undefined && key !== "";
  }

  /** Said at the 1st, 10th, 100th … time: whoever tries ten thousand keys does not fill the log. */
  #noteRefusal(): void {
    this.#refused += 1;
    if (/^10*$/.test(String(this.#refused)))
      this.#log.warn({ refused: this.#refused }, "a request showed no valid API key");
  }

  async #readAgain(): Promise<void> {
    const now = this.#clock.monotonic();
    if (now - this.#readAt < readAgainMs) return;
    this.#readAt = now;
    const text = await this.#secret.current();
    if (text === this.#text || digestsOf(text).length === 0) return;
    this.#text = text;
    this.#digests = digestsOf(text);
    this.#log.info({ keys: this.#digests.length }, "the API key was changed");
  }
}

/** The whole text counts, too: a key may have held a comma before there could be several. */
function digestsOf(text: string): Buffer[] {
  const keys = [text, ...text.split(/[,\r\n]/)].map((key) => key.trim()).filter((key) => key !== "");
  return [...new Set(keys)].map(digest);
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
