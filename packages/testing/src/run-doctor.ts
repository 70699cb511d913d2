/** One line of a report. */
export type DoctorLine = { name: string; verdict: "ok" | "problem" | "unknown"; seen: string; todo?: string };

/** What `<app> doctor --json` told. */
export type DoctorReport = {
  code: number;
  verdict: DoctorLine["verdict"];
  checks: DoctorLine[];
  /** The check of this name. @throws where there is none */
  of(name: string): DoctorLine;
  /** Everything that was written, to both outputs. */
  text: string;
};

/** A program as program.ts exports it, as far as a doctor needs one. */
export type DoctorProgram = (process: {
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  on(event: string, listener: (...args: never[]) => void): unknown;
  exit(code: number): unknown;
  exitCode?: number | string | null | undefined;
}) => Promise<void>;

/** Runs an app's doctor in this process and reads its report. */
export async function runDoctor(
  program: DoctorProgram,
  { env, args = [] }: { env: Readonly<Record<string, string | undefined>>; args?: readonly string[] },
): Promise<DoctorReport> {
  let [stdout, stderr] = ["", ""];
  const process = {
    argv: ["node", "main.js", "doctor", "--json", ...args],
    env,
    stdout: { write: (text: string) => void (stdout += text) },
    stderr: { write: (text: string) => void (stderr += text) },
    on: () => undefined,
    exit: (code: number) => void (process.exitCode = code),
    exitCode: 0,
  };
  await program(process);
  if (stdout === "") throw new Error(`the doctor told nothing and ended with ${process.exitCode}: ${stderr}`);
  const { verdict, checks }: Pick<DoctorReport, "verdict" | "checks"> = JSON.parse(stdout);
  return {
    code: process.exitCode,
    verdict,
    checks,
    text: stdout + stderr,
    of(name) {
      const found = checks.find((check) => check.name === name);
      if (found === undefined)
        throw new Error(`there is no check ${name}: ${checks.map((each) => each.name).join(", ")}`);
      return found;
    },
  };
}
