type Named = { name?: unknown };

/** A closer threw; the cause is what it threw. */
class ClosingError extends Error {
  override name = "ClosingError";
}

/** An AsyncDisposableStack that can say which of its closers have not come to an end. */
export class Closers extends AsyncDisposableStack {
  readonly #open = new Map<object, string>();

  /** Names of what is not closed yet, in the order in which it will be closed: the first one is being closed. */
  unfinished(): string[] {
    return [...this.#open.values()].toReversed();
  }

  override use<T extends AsyncDisposable | Disposable | null | undefined>(value: T): T {
    if (value === null || value === undefined) return super.use(value);
    super.defer(this.#tracked(nameOf(value), () => close(value)));
    return value;
  }

  override adopt<T>(value: T, onDispose: (value: T) => PromiseLike<void> | void): T {
    super.defer(this.#tracked(nameOf(value) ?? nameOf(onDispose), () => onDispose(value)));
    return value;
  }

  override defer(onDispose: () => PromiseLike<void> | void): void {
    super.defer(this.#tracked(nameOf(onDispose), onDispose));
  }

  #tracked(name = "unnamed", run: () => PromiseLike<void> | void): () => Promise<void> {
    const key = {};
    this.#open.set(key, name);
    return async () => {
      try {
        await run();
      } catch (cause) {
        throw new ClosingError(`closing "${name}"`, { cause });
      } finally {
        this.#open.delete(key);
      }
    };
  }
}

async function close(value: AsyncDisposable | Disposable): Promise<void> {
  if (Symbol.asyncDispose in value) await value[Symbol.asyncDispose]();
  else value[Symbol.dispose]();
}

/** A `name` that the value carries (functions do), else the name of its class. */
function nameOf(value: unknown): string | undefined {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return undefined;
  const { name } = value as Named;
  if (typeof name === "string" && name !== "") return name;
  const type = value.constructor.name;
  return type === "Object" || type === "Function" || type === "AsyncFunction" ? undefined : type;
}
