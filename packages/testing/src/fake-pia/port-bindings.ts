/** A port that is not bound again for this long is taken away (pia-foss/manual-connections, README). */
export const bindingMs = 15 * 60_000;

/** The forwarded ports of one server, each gone when nobody bound it again for 15 minutes. */
export class PortBindings {
  readonly #now: () => number;
  #boundAt = new Map<number, number>();
  #occupied: "all" | Set<number> = new Set();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The ports this server forwards to the client now. */
  get ports(): number[] {
    const now = this.#now();
    return [...this.#boundAt].filter(([, at]) => now - at < bindingMs).map(([port]) => port);
  }

  isBound(port: number): boolean {
    return this.ports.includes(port);
  }

  /** When the port was last bound, epoch ms. */
  boundAt(port: number): number | undefined {
    return this.#boundAt.get(port);
  }

  bind(port: number): void {
    this.#boundAt.set(port, this.#now());
  }

  /** The client's tunnel to this server ended, and with it all its ports. */
  drop(): void {
    this.#boundAt.clear();
  }

  /** Somebody else has these ports here, or all of them: bindPort answers 409. */
  occupy(ports: "all" | readonly number[]): void {
    this.#occupied = ports === "all" ? "all" : new Set(ports);
  }

  isOccupied(port: number): boolean {
    return this.#occupied === "all" || this.#occupied.has(port);
  }
}
