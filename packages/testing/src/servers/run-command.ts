import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { errorCode } from "../error-code.ts";

const runFile = promisify(execFile);

export type CommandOptions = { env?: NodeJS.ProcessEnv; timeoutMs?: number; cwd?: string };

/**
 * Runs a program to its end and returns what it printed on stdout.
 *
 * @throws Error naming the command and what it printed on stderr
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { env = process.env, timeoutMs = 300_000, cwd }: CommandOptions = {},
): Promise<string> {
  try {
    const options = {
      env,
      timeout: timeoutMs,
      maxBuffer: 64 * 1024 * 1024,
      ...(cwd !== undefined && { cwd }),
    };
    return (await runFile(command, args, options)).stdout;
  } catch (error) {
    throw new Error(`running ${command}: ${whatItSaid(error)}`, { cause: error });
  }
}

/** Of a program that fails `error.message` repeats the whole command line. */
function whatItSaid(error: unknown): string {
  const stderr = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
  return stderr || `it failed with ${errorCode(error) ?? "an error code"}`;
}
