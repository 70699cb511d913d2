import { formatProblem, lintRules } from "@qbit-sidecars/rules";
import { type CommandContext, type ExitCode, writeJson } from "./command.ts";
import { rulesText } from "./rules-text.ts";

/** `lint [FILE]`: what is wrong with a rules file, and what is right and yet makes no sense. */
export async function lintFile(context: CommandContext): Promise<ExitCode> {
  const given = await rulesText(context);
  if (given === undefined) return 1;
  const report = lintRules(given.text, { file: given.file });
  const { problems, errors, warnings } = report;
  if (context.config.json) writeJson(context, { file: given.file, ...report });
  else {
    for (const problem of problems) context.stdout.write(`${formatProblem(problem)}\n`);
    context.stdout.write(`${given.file}: ${errors} errors, ${warnings} warnings\n`);
  }
  return problems.length === 0 ? 0 : 1;
}
