import { formatProblem, type RulesTest, testRules } from "@qbit-sidecars/rules";
import { type CommandContext, type ExitCode, writeJson } from "./command.ts";
import { fileText, rulesText } from "./rules-text.ts";

/** `test EXAMPLES [FILE]`: tries the rules on example torrents, without any qBittorrent. */
export async function testFile(context: CommandContext): Promise<ExitCode> {
  const { config, operands, stdout, stderr } = context;
  const [examplesFile] = operands;
  if (examplesFile === undefined) {
    stderr.write(
      "qbt-rules: test wants a file of example torrents: qbt-rules test torrents.json [rules.yml]\n",
    );
    return 2;
  }
  const [rules, examples] = [await rulesText(context, 1), await fileText(examplesFile, stderr)];
  if (rules === undefined || examples === undefined) return 1;
  const report = await testRules(rules, examples);
  if (config.json) writeJson(context, report);
  else if ("problems" in report)
    for (const problem of report.problems) stderr.write(`${formatProblem(problem)}\n`);
  else {
    for (const test of report.tests) stdout.write(`${lines(test).join("\n")}\n`);
    const failed = report.tests.filter(({ ok }) => !ok).length;
    stdout.write(`${report.tests.length - failed} as expected, ${failed} not\n`);
  }
  return report.ok ? 0 : 1;
}

function lines({ torrent, ok, expected, actual, held }: RulesTest): string[] {
  const mark = expected === undefined ? "·" : ok ? "✓" : "✗";
  const found =
    actual === "not ready"
      ? ["  not ready: its data is not there"]
      : actual.map(
          ({ action, rule, after, because }) =>
            `  ${action} ${JSON.stringify(after)} (${rule}: ${because.join("; ")})`,
        );
  const wanted = ok ? [] : [`  expected ${JSON.stringify(expected)}`];
  return [`${mark} ${torrent}`, ...found, ...held.map((reason) => `  not deleted: ${reason}`), ...wanted];
}
