import { readTextFile } from "@qbit-sidecars/config";
import { rulesPath } from "@qbit-sidecars/rules-run";
import type { CommandContext } from "./command.ts";

const largestFileBytes = 4 * 1024 * 1024;

export type FileText = { readonly file: string; readonly text: string };

/** The file that a command was given, or else the rules file of the settings. Undefined: that was told. */
export async function rulesText(
  { config, operands, stderr }: CommandContext,
  at = 0,
): Promise<FileText | undefined> {
  return await fileText(operands[at] ?? rulesPath(config), stderr);
}

export async function fileText(
  file: string,
  stderr: CommandContext["stderr"],
): Promise<FileText | undefined> {
  const reading = await readTextFile(file, largestFileBytes);
  if (reading.ok) return { file, text: reading.text };
  stderr.write(`${file}: the file ${reading.problem}\n`);
  return undefined;
}
