import type { Logger } from "@qbit-sidecars/service";

/** Of so many connections it is remembered who is at the other end; of further ones the oldest is forgotten. */
const knownAtMost = 1000;

/**
 * Warns of sources on different machines that go by the same name, or by none, at the same time: they take each
 * other's hand-offs for their own. Each connection says its name in Hello, and has a stream for as long as it lives.
 * Sources behind one address cannot be told apart from the several connections of one.
 */
export class TellNamesakes {
  readonly #log: Pick<Logger, "warn">;
  /** Names by peer, which is an address with a port. */
  readonly #names = new Map<string, string>();
  /** The peers that have a stream. */
  readonly #alive = new Set<string>();
  readonly #told = new Set<string>();

  constructor(log: Pick<Logger, "warn">) {
    this.#log = log;
  }

  hello(peer: string, sourceName: string): void {
    this.#names.delete(peer);
    this.#names.set(peer, sourceName);
    const [oldest] = this.#names.keys();
    if (this.#names.size > knownAtMost && oldest !== undefined) this.#names.delete(oldest);
  }

  /** @returns what to call when the stream has ended */
  streaming(peer: string): () => void {
    this.#alive.add(peer);
    const name = this.#names.get(peer);
    if (name !== undefined) this.#compare(peer, name);
    return () => {
      this.#alive.delete(peer);
      this.#names.delete(peer);
    };
  }

  #compare(peer: string, name: string): void {
    const host = hostOf(peer);
    const other = [...this.#alive].find((each) => hostOf(each) !== host && this.#names.get(each) === name);
    if (other === undefined || this.#told.has(name)) return;
    if (this.#told.size < knownAtMost) this.#told.add(name);
    const called = name === "" ? "have no name" : `are both called ${JSON.stringify(name)}`;
    this.#log.warn(
      `the sources at ${hostOf(other)} and ${host} ${called}: they take each other's hand-offs for their own, and a torrent may seed twice. Give each source a --source-name (QBSYNC_SOURCE_SOURCE_NAME) of its own`,
    );
  }
}

/** Of `1.2.3.4:5`, also as a listener for IPv6 shows it, `::ffff:1.2.3.4:5`, and of `[::1]:5`. */
const hostOf = (peer: string): string => peer.replace(/:\d+$/, "").replace(/^::ffff:(?=\d+\.)/, "");
