/** Looks for secrets in what is printed and answered, as they are and as URLs and HTTP headers write them. */
export class SecretWatch {
  readonly #shapes = new Map<string, readonly string[]>();
  readonly #seen = new Set<string>();
  readonly #looked = new Map<string, number>();
  /** The end of the text before, by place: a secret may be cut in two. */
  readonly #ends = new Map<string, string>();

  /** @param secrets by the name that findings call them */
  constructor(secrets: Readonly<Record<string, string>>) {
    for (const [name, secret] of Object.entries(secrets)) this.lookFor(name, secret);
  }

  /** One more; in place of the one that had this name. An unset one is never found. */
  lookFor(name: string, secret: string): void {
    if (secret !== "") this.#shapes.set(name, shapesOf(secret));
  }

  /** @param where such as "log of port-sync" */
  look(where: string, text: string): void {
    const whole = (this.#ends.get(where) ?? "") + text;
    for (const [name, shapes] of this.#shapes) {
      if (shapes.some((shape) => whole.includes(shape))) this.#seen.add(`${name} in ${where}`);
    }
    this.#ends.set(where, whole.slice(-200));
    this.#looked.set(where, (this.#looked.get(where) ?? 0) + text.length);
  }

  /** Which secret was seen where. */
  get findings(): string[] {
    return [...this.#seen].toSorted();
  }

  /** How many characters were looked at, by place. */
  get looked(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#looked);
  }
}

function shapesOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString("base64").replace(/=+$/u, "");
  // In `user:secret` it stands at any of three offsets; what is left of it in the middle is the same.
  const inside = [1, 2].map((offset) =>
    Buffer.from("x".repeat(offset) + secret)
      .toString("base64")
      .slice(4, -4),
  );
  return [
    ...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64, ...inside]),
  ];
}
