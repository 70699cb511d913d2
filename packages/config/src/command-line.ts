import type { Arguments } from "./arguments.ts";
import { readTextFile } from "./bounded-file.ts";
import type { Declaration } from "./declare-settings.ts";
import { renderFaults } from "./fault.ts";
import { configFileNames, readConfigFile, refuseConfigFileNames } from "./given-config-file.ts";
import { renderConfig } from "./print-config.ts";
import type { CommandLine, Input, Program } from "./program.ts";
import { checkRules, configOf, resolveSettings, type Sources } from "./resolve.ts";
import { warnAboutUnknownVariables } from "./unknown-variables.ts";

/**
 * Reads the settings of a program from its flags, variables and config file. It prints nothing and ends
 * nothing: `--help`, `--version`, `--print-config` and faults (code 2, all of them in one text) are results.
 * @throws {DeclarationError} the names for the config file collide with a setting's.
 */
export async function readCommandLine<D extends Declaration>(
  program: Program<D>,
  input: Input,
): Promise<CommandLine<D>> {
  refuseConfigFileNames(program);
  const given = await readGiven(program, input.argv);
  if (given.wants === "help") {
    const { renderHelp } = await import("./help.ts");
    return exit(0, { stdout: renderHelp(program, input.columns) });
  }
  if (given.wants === "version") return exit(0, { stdout: `${program.name} ${program.version}\n` });
  return resolveProgram(program, input, given);
}

const nothingGiven: Arguments = {
  wants: undefined,
  command: undefined,
  switches: [],
  configFile: undefined,
  flags: new Map(),
  faults: [],
};

/** Containers are usually told everything by variables; commander is then not loaded, which saves 2 MB. */
async function readGiven<D extends Declaration>(
  program: Program<D>,
  argv: readonly string[],
): Promise<Arguments> {
  if (argv.length === 0) return nothingGiven;
  const { readArguments } = await import("./arguments.ts");
  return readArguments(argv, {
    declared: program.settings.declared,
    commands: program.commands ?? [],
    ignoredWords: program.ignoredWords ?? [],
    configFlag: configFileNames(program).flag,
  });
}

async function resolveProgram<D extends Declaration>(
  program: Program<D>,
  input: Input,
  given: Arguments,
): Promise<CommandLine<D>> {
  const { settings } = program;
  const { readFile = readTextFile, env } = input;
  const sources: Sources = { flags: given.flags, env, file: new Map(), fileUnderstood: false, readFile };
  const file = await readConfigFile(program, sources, given.configFile);
  const { values, understood } = file;
  const resolution = await resolveSettings(settings.declared, {
    ...sources,
    file: values,
    fileUnderstood: understood,
  });
  const faults = [
    ...given.faults,
    ...file.faults,
    ...resolution.faults,
    ...checkRules(settings, resolution, given.command),
  ];
  const { effective } = resolution;
  const own = { name: program.name, otherVariables: configFileNames(program).env };
  const warnings = [...resolution.warnings, ...warnAboutUnknownVariables(own, settings.declared, env)];
  const stderr =
    warnings.map((warning) => `warning: ${warning}\n`).join("") + renderFaults(program.name, faults);
  const code = faults.length === 0 ? 0 : 2;
  if (given.wants === "printConfig")
    return exit(code, { stdout: renderConfig(program, effective, file.path), stderr });
  if (code !== 0) return exit(code, { stderr });
  return {
    kind: "run",
    command: given.command,
    switches: given.switches,
    config: configOf(settings, resolution.values),
    effective,
    warnings,
    configFile: file.path,
  };
}

function exit(code: 0 | 2, output: { readonly stdout?: string; readonly stderr?: string }) {
  return { kind: "exit", code, stdout: output.stdout ?? "", stderr: output.stderr ?? "" } as const;
}
