import type { FileReading } from "./bounded-file.ts";
import { readCommandLine } from "./command-line.ts";
import { declareSettings, type ConfigOf, type Declaration, type Settings } from "./declare-settings.ts";
import type { Input, Program } from "./program.ts";

/** What a test gives to the program; files by their path. */
export interface Given {
  readonly argv?: readonly string[];
  readonly env?: Input["env"];
  readonly files?: Readonly<Record<string, string>>;
  readonly columns?: number;
}

/** A program named `app` with the given settings, for tests. */
export function programOf<D extends Declaration>(
  declaration: D | Settings<D>,
  options: Partial<Program<D>> = {},
) {
  const settings = isSettings(declaration) ? declaration : declareSettings(declaration);
  const program: Program<D> = {
    name: "app",
    version: "1.2.3",
    about: "Does one thing.",
    settings,
    ...options,
  };
  return {
    read: ({ argv = [], env = {}, files = {}, columns }: Given = {}) =>
      readCommandLine(program, { argv, env, columns, readFile: async (path) => fileAmong(files, path) }),

    /** The values and warnings of a start that works. */
    async run(given: Given = {}): Promise<{
      config: ConfigOf<Settings<D>>;
      command: string | undefined;
      warnings: readonly string[];
      sources: Record<string, string>;
    }> {
      const result = await this.read(given);
      if (result.kind === "exit") throw new Error(`the program ended: ${result.stdout}${result.stderr}`);
      const { config, command, warnings, effective } = result;
      return {
        config,
        command,
        warnings,
        sources: Object.fromEntries(effective.map(({ name, source }) => [name, source])),
      };
    },

    /** What a start that does not work, or only prints, writes. */
    async exit(given: Given = {}): Promise<{ code: number; stdout: string; stderr: string }> {
      const result = await this.read(given);
      if (result.kind === "run") throw new Error("the program runs");
      return result;
    },
  };
}

const isSettings = <D extends Declaration>(value: D | Settings<D>): value is Settings<D> =>
  Array.isArray(value["declared"]);

function fileAmong(files: Readonly<Record<string, string>>, path: string): FileReading {
  // A hostile path such as "toString" is no file either.
  const text = Object.hasOwn(files, path) ? files[path] : undefined;
  return text === undefined ? { ok: false, missing: true, problem: "does not exist" } : { ok: true, text };
}
