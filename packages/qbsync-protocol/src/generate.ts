import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** Where the generated code is, below `src`. */
export const generatedFile = "gen/qbit_sidecars/qbsync/v1/qbsync.ts";

/**
 * Generates TypeScript from the .proto files into a folder, with the versions of buf and ts-proto that are
 * installed. Needs no network: the plugin is a local program.
 */
export async function generate(folder: string): Promise<void> {
  const programs = join(packageFolder, "node_modules/.bin");
  const buf = spawn(join(programs, "buf"), ["generate", "--output", folder], {
    cwd: packageFolder,
    env: { ...process.env, PATH: `${programs}${delimiter}${process.env["PATH"] ?? ""}` },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = await once(buf, "close");
  if (code !== 0) throw new Error(`buf generate ended with ${code}`);
}

if (import.meta.main) await generate(join(packageFolder, "src/gen"));
