import type { NtfyMessage } from "@qbit-sidecars/testing";
import { topic, username } from "../pod-parts.ts";

/** A subscriber that reads only what is new, and knows which cards it shows: a new card of priority 3 or more sounds. */
export class Phone {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #cards = new Set<string>();
  readonly #sounds = new Map<string, number>();
  #since = "all";

  constructor({ url, password }: { url: string; password: string }) {
    this.#url = url;
    const basic = Buffer.from(`${username}:${password}`).toString("base64");
    this.#headers = password === "" ? {} : { authorization: `Basic ${basic}` };
  }

  /** How often it sounded for a torrent. */
  sounds(torrentId: string): number {
    return this.#sounds.get(torrentId) ?? 0;
  }

  /** Reads what came since the last look. */
  async look(): Promise<void> {
    const response = await fetch(`${this.#url}/${topic}/json?poll=1&since=${this.#since}`, {
      headers: this.#headers,
      signal: AbortSignal.timeout(5000),
    });
    if (!response.ok) throw new Error(`reading ntfy's topic: ${response.status}`);
    const lines = (await response.text()).split("\n").filter((line) => line !== "");
    const messages = lines.map((line) => JSON.parse(line) as NtfyMessage);
    this.#since = messages.at(-1)?.id ?? this.#since;
    for (const message of messages) this.#show(message);
  }

  forget(torrentId: string): void {
    this.#sounds.delete(torrentId);
    for (const card of this.#cards) if (card.includes(torrentId)) this.#cards.delete(card);
  }

  #show({ id, event, sequence_id: sequence = id, priority = 3 }: NtfyMessage): void {
    if (event !== "message") {
      this.#cards.delete(sequence);
      return;
    }
    const isNew = !this.#cards.has(sequence);
    this.#cards.add(sequence);
    const torrentId = /[0-9a-f]{40}/u.exec(sequence)?.[0];
    if (!isNew || priority < 3 || torrentId === undefined) return;
    this.#sounds.set(torrentId, this.sounds(torrentId) + 1);
  }
}
