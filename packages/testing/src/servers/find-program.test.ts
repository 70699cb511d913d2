import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tempDir } from "../temp-dir.ts";
import { findProgram, ServerUnavailableError } from "./find-program.ts";
import { ntfyKind, qbittorrentKind, redisKind } from "./kinds.ts";

const run = { args: ["--port", "1"], dir: "/dir", env: { HOME: "/dir" } };

describe("a server's program", () => {
  test("is the binary that the server's variable names, whatever its version", async () => {
    await using bin = await binFolder({ "my-redis": "" });
    const path = join(bin.path, "my-redis");
    const program = await findProgram(redisKind(), { env: { QBIT_SIDECARS_REDIS: path } });
    expect(program.origin).toBe("QBIT_SIDECARS_REDIS");
    expect(program.commandLine(run)).toEqual({ command: path, args: run.args, env: run.env });
  });

  test.each([
    [qbittorrentKind("4.5.2"), "qBittorrent v4.5.2", "4.5.2"],
    [qbittorrentKind("5.3.0"), "qBittorrent v5.3.4", "5.3.4"],
    [redisKind(), "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", "7.0.15"],
    [ntfyKind(), "ntfy 2.27.0 (abcdef), runtime go1.27", "2.27.0"],
  ])("is the one in PATH when its release is the wanted one: $1", async (kind, printed, version) => {
    await using bin = await binFolder({ [kind.executable]: `echo '${printed}'` });
    const program = await findProgram(kind, { env: { PATH: bin.path } });
    expect(program).toMatchObject({ origin: "PATH", version });
    expect(program.commandLine(run).command).toBe(join(bin.path, kind.executable));
  });

  test("that cannot be had any way is an error with every reason and what to do", async () => {
    await using bin = await binFolder({ "qbittorrent-nox": "echo qBittorrent v4.1.5" });
    const found = findProgram(qbittorrentKind("5.3.0"), { env: { PATH: bin.path } });
    await expect(found).rejects.toThrow(ServerUnavailableError);
    await expect(found).rejects.toThrow(
      "qBittorrent 5.3.0 cannot be had: set QBIT_SIDECARS_QBITTORRENT_5_3_0",
    );
    await expect(found).rejects.toThrow("qbittorrent-nox is version 4.1.5, not 5.3.0");
    await expect(found).rejects.toThrow("making a Debian root: running dpkg");
    await expect(found).rejects.toThrow("running a container: neither docker nor podman works here");
  });

  test("that a variable names and that is not there is an error, not another program", async () => {
    await using bin = await binFolder({ "redis-server": "echo Redis server v=7.0.15" });
    const env = { PATH: bin.path, QBIT_SIDECARS_REDIS: join(bin.path, "gone") };
    await expect(findProgram(redisKind(), { env })).rejects.toThrow("QBIT_SIDECARS_REDIS names no program");
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
