import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ServerUnavailableError } from "../servers/find-program.ts";
import { tempDir } from "../temp-dir.ts";
import { findGoProgram, type GoProgramKind, isGoProgramMissing } from "./go-program.ts";

const kind: GoProgramKind = {
  name: "Hammer",
  variable: "QBIT_SIDECARS_HAMMER",
  executable: "hammer",
  versionArgs: ["version"],
  accepts: (version) => version.startsWith("4."),
  module: "example.org/hammer",
  version: "4.2.4",
};

describe("a program written in Go", () => {
  test("is the binary that its variable names", async () => {
    expect(await findGoProgram(kind, { env: { QBIT_SIDECARS_HAMMER: "/opt/hammer" } })).toBe("/opt/hammer");
  });

  test("is the one in PATH when its version will do", async () => {
    await using bin = await binFolder({ hammer: "echo v4.1.0+g123" });
    expect(await findGoProgram(kind, { env: { PATH: bin.path } })).toBe(join(bin.path, "hammer"));
  });

  test("is made by go once for all who ask at the same time, and nothing else of Go's is kept", async () => {
    await using cache = await tempDir();
    await using bin = await binFolder({
      hammer: "echo v3.1.0",
      go: `echo "$@" >>${cache.path}/calls; mkdir -p $GOPATH/mod; echo '#!/bin/sh' >$GOBIN/hammer`,
    });
    const env = { PATH: `${bin.path}:/usr/bin:/bin`, QBIT_SIDECARS_CACHE: cache.path };
    const found = await Promise.all([findGoProgram(kind, { env }), findGoProgram(kind, { env })]);
    expect(found[0]).toBe(found[1]);
    expect(found[0]).toContain(join(cache.path, "go-programs", "hammer-"));
    const files = await readdir(cache.path, { recursive: true });
    expect(files.filter((file) => file.endsWith("calls"))).toHaveLength(1);
    expect(files.filter((file) => file.endsWith("hammer"))).toHaveLength(1);
    expect(files.join()).not.toContain("mod");
  });

  test("that cannot be had is told, and is an error in CI", async () => {
    await using bin = await binFolder({ go: "echo no network >&2; exit 1" });
    await using cache = await tempDir();
    const env = { PATH: `${bin.path}:/usr/bin:/bin`, QBIT_SIDECARS_CACHE: cache.path };
    await expect(findGoProgram(kind, { env })).rejects.toThrow(/set QBIT_SIDECARS_HAMMER .*\n.*no network/);
    await expect(isGoProgramMissing(kind, { env: { ...env, CI: "true" } })).rejects.toThrow(
      ServerUnavailableError,
    );
  });
});

/** A folder of shell scripts. */
async function binFolder(scripts: Record<string, string>) {
  const dir = await tempDir();
  for (const [name, body] of Object.entries(scripts)) {
    await writeFile(join(dir.path, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(dir.path, name), 0o755);
  }
  return dir;
}
