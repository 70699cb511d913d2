/**
 * Variables of this family of programs that end in `_FILE` and are settings of their own: paths. A pod-wide
 * `envFrom` hands one program's variables to all of them, so `PORT_FILE` (gluetun's port file) must not be
 * read as the value of another program's `PORT`.
 */
const settingsOfTheirOwn: ReadonlySet<string> = new Set([
  "PORT_FILE",
  "PIA_TOKEN_FILE",
  "QBIT_CA_CERT_FILE",
  "QBT_RULES_LOG_FILE",
  "QBT_RULES_RULES_FILE",
]);

/** The variable that names a file to read `variable` from, or undefined where that name means something else. */
export function fileVariantOf(variable: string): string | undefined {
  const name = `${variable}_FILE`;
  return settingsOfTheirOwn.has(name) ? undefined : name;
}
