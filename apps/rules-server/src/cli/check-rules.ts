import { formatProblem, loadRules } from "@qbit-sidecars/rules";
import { type CommandContext, type ExitCode, writeJson } from "./command.ts";
import { rulesText } from "./rules-text.ts";

/** `--validate` and `--list-rules`: what the rules file says, and what is wrong with it. */
export async function checkRules(context: CommandContext): Promise<ExitCode> {
  const { config, stdout, stderr } = context;
  const given = await rulesText(context);
  if (given === undefined) return 1;
  const { file: path, text } = given;
  const loaded = loadRules(text, { file: path, strict: config.rulesStrict });
  const problems = loaded.ok ? loaded.ruleset.warnings : loaded.problems;
  const rules = loaded.ok ? loaded.ruleset.rules : [];
  const listed = rules.map(({ name, enabled, contexts, at, actions }) => ({
    name,
    enabled,
    contexts,
    line: at.line,
    actions: actions.map(({ action }) => action.name),
  }));
  if (config.json) writeJson(context, { ok: loaded.ok, file: path, problems, rules: listed });
  else {
    for (const problem of problems) stderr.write(`${formatProblem(problem)}\n`);
    if (config.listRules)
      for (const { name, enabled, contexts, actions } of listed)
        stdout.write(
          `${enabled ? "on " : "off"}  ${name}  [${contexts.join(", ") || "every context"}]  ${actions.join(", ")}\n`,
        );
    else if (loaded.ok) stdout.write(`${path}: ${rules.length} rules, no mistakes\n`);
  }
  return loaded.ok ? 0 : 1;
}
