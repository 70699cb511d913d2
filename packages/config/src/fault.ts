/** One thing that is wrong with what the program was given. No text of it may show a secret. */
export interface Fault {
  /** The setting by the names a person uses, or the unknown flag, key or word. */
  readonly subject: string;
  /** Where the value came from. */
  readonly from: string;
  readonly wrong: string;
  readonly right: string;
}

/** All faults as a text for a terminal or a container log; empty without faults. */
export function renderFaults(program: string, faults: readonly Fault[]): string {
  if (faults.length === 0) return "";
  const count = faults.length === 1 ? "1 thing is wrong" : `${faults.length} things are wrong`;
  const entries = faults.map(
    ({ subject, from, wrong, right }) =>
      `  ${subject}\n    from:  ${from}\n    wrong: ${wrong}\n    right: ${right}\n`,
  );
  return `${program} cannot start: ${count} in its settings.\n\n${entries.join("\n")}\n"${program} --help" explains every setting.\n`;
}
