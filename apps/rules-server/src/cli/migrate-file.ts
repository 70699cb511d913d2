import { formatFinding, formatProblem, migrateRules } from "@qbit-sidecars/rules";
import { type CommandContext, type ExitCode, writeJson } from "./command.ts";
import { rulesText } from "./rules-text.ts";

/**
 * `migrate [FILE]`: writes a rules file of qbt-rules 0.3 to 0.6 anew, to stdout; what it did not do, or did otherwise than
 * it says, goes to stderr. The file itself is left alone.
 */
export async function migrateFile(context: CommandContext): Promise<ExitCode> {
  const given = await rulesText(context);
  if (given === undefined) return 1;
  const { text, findings, problems } = migrateRules(given.text, { file: given.file });
  const open = findings.filter(({ isRewritten }) => !isRewritten).length;
  if (context.config.json) writeJson(context, { file: given.file, findings, problems, text });
  else {
    for (const finding of findings) context.stderr.write(`${formatFinding(finding, given.file)}\n`);
    for (const problem of problems) context.stderr.write(`in the new text: ${formatProblem(problem)}\n`);
    const rewritten = findings.length - open;
    context.stderr.write(
      `${rewritten} ${rewritten === 1 ? "thing" : "things"} rewritten, ${open} for you to decide\n`,
    );
    context.stdout.write(text);
  }
  const isWrong = problems.some(({ severity }) => severity === "error");
  return isWrong || open > 0 ? 1 : 0;
}
