/** An error as it appears in a log line. */
export type DescribedError = {
  type: string;
  /** The message, followed by the messages of its causes, separated by ": ". */
  message: string;
  stack?: string;
  errors?: DescribedError[];
  [property: string]: unknown;
};

const DEEPEST_CAUSE = 10;
const NATIVE_ERRORS: readonly unknown[] = [
  Error,
  TypeError,
  RangeError,
  ReferenceError,
  SyntaxError,
  EvalError,
  URIError,
];

/**
 * Turns an error into a plain object for the log. Of the error's own properties only texts, numbers and
 * booleans are kept: HTTP clients hang the whole request on their errors, credentials included.
 *
 * The stack appears when the error looks like a mistake in the program. A refused connection is described by
 * its message, and twenty lines of stack every time a VPN drops would hide that message.
 */
export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: printable(error) };
  return {
    ...plainProperties(error),
    type: className(error),
    message: messageWithCauses(error),
    ...(looksLikeMistake(error) ? { stack: stackWithCauses(error) } : {}),
    ...(error instanceof AggregateError ? { errors: error.errors.map(describeError) } : {}),
  };
}

/** "applying the port: connect ECONNREFUSED 127.0.0.1:8080": the message and those of its causes. */
export function messageWithCauses(error: unknown): string {
  const messages = causes(error).map((each) => (each instanceof Error ? each.message : printable(each)));
  return messages.filter((message, at) => message !== "" && !repeats(message, messages[at - 1])).join(": ");
}

/** Many errors end with the message of their cause; saying it twice helps nobody. */
function repeats(message: string, before = ""): boolean {
  return before === message || before.endsWith(`: ${message}`);
}

/** The error, its cause, the cause of that, and so on. */
export function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  let next: unknown = error;
  while (next !== undefined && chain.length < DEEPEST_CAUSE && !chain.includes(next)) {
    chain.push(next);
    next = next instanceof Error ? next.cause : undefined;
  }
  return chain;
}

/** `name` before the class, whose name a minifier may have shortened. */
export function className(error: Error): string {
  return error.name === "Error" ? error.constructor.name : error.name;
}

function stackWithCauses(error: Error): string {
  return causes(error)
    .map((each) => (each instanceof Error ? (each.stack ?? each.message) : printable(each)))
    .join("\ncaused by: ");
}

/** Native classes without `errno` all along: thrown by the program itself rather than by the operating system. */
function looksLikeMistake(error: Error): boolean {
  return causes(error).every(
    (each) => each instanceof Error && NATIVE_ERRORS.includes(each.constructor) && !("errno" in each),
  );
}

function plainProperties(error: Error): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(error).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)),
  );
}

function printable(value: unknown): string {
  try {
    return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return Object.prototype.toString.call(value);
  }
}
