import { readConfigText, type FileValues } from "./config-file.ts";
import { DeclarationError, type Declaration } from "./declare-settings.ts";
import type { Program } from "./program.ts";
import { configOf, resolveSettings, type Sources } from "./resolve.ts";

const largestConfigFile = 1024 * 1024;

/** The flag and the variables that name the config file of a program. */
export function configFileNames<D extends Declaration>({ configFile }: Program<D>) {
  return { flag: configFile?.flag ?? "--config-file", env: configFile?.env ?? ["CONFIG_FILE"] } as const;
}

/** @throws {DeclarationError} a setting uses a name of the config file, or has its variable as `_FILE` variant. */
export function refuseConfigFileNames<D extends Declaration>(program: Program<D>): void {
  const names = configFileNames(program);
  for (const { name, flag, env } of program.settings.declared) {
    const clash = env.find(
      (variable) => names.env.includes(variable) || names.env.includes(`${variable}_FILE`),
    );
    if (flag === names.flag)
      throw new DeclarationError(`${flag} of ${name} is also the flag of the config file`);
    if (clash !== undefined)
      throw new DeclarationError(`${clash} of ${name} collides with ${names.env.join(", ")}`);
  }
}

/** The config file's settings. Named by flag or variable it must be there; the default file need not. */
export async function readConfigFile<D extends Declaration>(
  program: Program<D>,
  sources: Sources,
  flagValue: string | undefined,
): Promise<FileValues & { readonly path?: string }> {
  const place = await placeOfConfigFile(program, sources, flagValue);
  if (!place) return { values: new Map(), understood: true, faults: [] };
  const { path, from } = place;
  const reading = await sources.readFile(path, largestConfigFile);
  if (reading.ok) {
    const file = { path, text: reading.text, otherKeys: program.configFile?.otherKeys ?? [] };
    const { values, understood, faults } = await readConfigText(file, program.settings.declared);
    return { values, understood, faults, path };
  }
  if (reading.missing && from === "default") return { values: new Map(), understood: true, faults: [] };
  const fault = {
    subject: "config file",
    from: `${from}: ${path}`,
    wrong: `the file ${reading.problem}`,
    right: "a YAML file",
  };
  return { values: new Map(), understood: false, faults: [fault] };
}

async function placeOfConfigFile<D extends Declaration>(
  program: Program<D>,
  sources: Sources,
  flagValue: string | undefined,
): Promise<{ path: string; from: string } | undefined> {
  const names = configFileNames(program);
  if (flagValue) return { path: flagValue, from: `flag ${names.flag}` };
  const variable = names.env.find((name) => sources.env[name]);
  if (variable !== undefined) return { path: sources.env[variable] ?? "", from: variable };
  const fallback = program.configFile?.default;
  if (typeof fallback !== "function")
    return fallback === undefined ? undefined : { path: fallback, from: "default" };
  const { values } = await resolveSettings(program.settings.declared, sources);
  const path = fallback(configOf(program.settings, values));
  return path === undefined ? undefined : { path, from: "default" };
}
