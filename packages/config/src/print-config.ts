import type { Declaration } from "./declare-settings.ts";
import type { Program } from "./program.ts";
import type { EffectiveSetting } from "./resolve.ts";

/** What a program would run with: each setting, its value with secrets hidden, where it came from. */
export function renderConfig<D extends Declaration>(
  { name, version }: Program<D>,
  effective: readonly EffectiveSetting[],
  configFile: string | undefined,
): string {
  const nameWidth = widest(effective.map((setting) => setting.name));
  const valueWidth = Math.min(48, widest(effective.map(({ value }) => value)));
  const lines = effective.map((setting) => {
    const start = `${setting.name.padEnd(nameWidth)}  ${setting.value.padEnd(valueWidth)}`;
    return `${start}  ${setting.source}${alternatives(setting)}\n`;
  });
  return [
    `# ${name} ${version}; config file: ${configFile ?? "none"}\n`,
    "# A flag wins over VARIABLE_FILE, that over VARIABLE, that over the config file, that over the default.\n",
    "# Of several variables for one setting (A > B), the first that is set wins. Secrets are shown as ***.\n",
    ...lines,
  ].join("");
}

const alternatives = ({ env }: EffectiveSetting): string => (env.length > 1 ? `  (${env.join(" > ")})` : "");

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
