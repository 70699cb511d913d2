import type { Logger } from "@qbit-sidecars/service";

/** Of so many connections it is remembered who is at the other end; of further ones the oldest without a stream is forgotten. */
const knownAtMost = 1000;

/** Who is at the other end of a connection, by its own words. */
export type SourceIdentity = {
  /** Empty: it has none. */
  name: string;
  /** Another one is another process. Empty: it does not tell. */
  instanceId: string;
  /** The address that it comes from. */
  host: string;
};

/** One that has not said who it is. */
const nobody: SourceIdentity = { name: "", instanceId: "", host: "" };

/**
 * Which sources are connected. Each connection says its name in Hello, and has a stream for as long as it lives. Warns
 * of two that go by the same name, or by none, at the same time: they take each other's hand-offs for their own.
 */
export class ConnectedSources {
  readonly #log: Pick<Logger, "warn">;
  /** By peer, which is an address with a port. */
  readonly #known = new Map<string, SourceIdentity>();
  /** The peers that have a stream. */
  readonly #alive = new Set<string>();
  readonly #told = new Set<string>();

  constructor(log: Pick<Logger, "warn">) {
    this.#log = log;
  }

  hello(peer: string, about: Omit<SourceIdentity, "host">): void {
    this.#known.delete(peer);
    this.#known.set(peer, { ...about, host: hostOf(peer) });
    if (this.#known.size <= knownAtMost) return;
    const oldest = this.#known.keys().find((each) => !this.#alive.has(each));
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** @returns what to call when the stream has ended */
  streaming(peer: string): () => void {
    this.#alive.add(peer);
    const source = this.#known.get(peer);
    if (source !== undefined) this.#compare(source);
    return () => {
      this.#alive.delete(peer);
      this.#known.delete(peer);
    };
  }

  identity(peer: string): SourceIdentity {
    return this.#known.get(peer) ?? nobody;
  }

  isConnected({ instanceId }: Pick<SourceIdentity, "instanceId">): boolean {
    return this.#connected().some((source) => source.instanceId === instanceId);
  }

  #connected(): SourceIdentity[] {
    return [...this.#alive].flatMap((peer) => this.#known.get(peer) ?? []);
  }

  #compare(source: SourceIdentity): void {
    const { name } = source;
    const other = this.#connected().find((each) => each.name === name && isAnother(each, source));
    if (other === undefined || this.#told.has(name)) return;
    if (this.#told.size < knownAtMost) this.#told.add(name);
    const called = name === "" ? "have no name" : `are both called ${JSON.stringify(name)}`;
    this.#log.warn(
      `the sources at ${other.host} and ${source.host} ${called}: they take each other's hand-offs for their own, and a torrent may seed twice. Give each source a --source-name (QBSYNC_SOURCE_SOURCE_NAME) of its own`,
    );
  }
}

/** Whether these are two processes. Those that do not tell are, at the latest, where they come from two machines. */
export function isAnother(one: SourceIdentity, other: SourceIdentity): boolean {
  if (one.instanceId !== "" && other.instanceId !== "") return one.instanceId !== other.instanceId;
  return one.host !== other.host;
}

/** Of `1.2.3.4:5`, also as a listener for IPv6 shows it, `::ffff:1.2.3.4:5`, and of `[::1]:5`. */
const hostOf = (peer: string): string => peer.replace(/:\d+$/, "").replace(/^::ffff:(?=\d+\.)/, "");
