/** Commands that take words of their own, as in `explain HASH`. */
const takeOperands: ReadonlySet<string> = new Set(["explain", "lint", "test", "migrate"]);

/** The words after such a command, which are no flags; the rest is what the settings are read from. */
export function splitOperands(argv: readonly string[]): {
  argv: readonly string[];
  operands: readonly string[];
} {
  const [command = ""] = argv;
  if (!takeOperands.has(command)) return { argv, operands: [] };
  const end = argv.findIndex((word, at) => at > 0 && word.startsWith("-"));
  const operands = argv.slice(1, end === -1 ? argv.length : end);
  return { argv: [command, ...argv.slice(1 + operands.length)], operands };
}
