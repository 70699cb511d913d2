/**
 * A value that must not be seen: it prints as `***` in logs, JSON, template strings, errors and
 * `util.inspect`. Only {@link Secret.reveal} and {@link Secret.current} give it away, so every place that uses it
 * can be found.
 */
export class Secret {
  readonly #value: string;
  readonly #readAgain: () => Promise<string | undefined>;

  /** @param readAgain reads the file it came from; undefined while that holds no value */
  constructor(value: string, readAgain: () => Promise<string | undefined> = async () => value) {
    this.#value = value;
    this.#readAgain = readAgain;
  }

  /** The value as it was at the start, for the one call that needs it. */
  reveal(): string {
    return this.#value;
  }

  /** The value that its file holds now, so that a rotated password heals without a restart. */
  async current(): Promise<string> {
    return (await this.#readAgain()) ?? this.#value;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [Symbol.toPrimitive](): string {
    return "***";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "***";
  }
}
