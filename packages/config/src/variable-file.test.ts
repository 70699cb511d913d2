import { execFileSync } from "node:child_process";
import { mkdtempDisposable, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readTextFile } from "./bounded-file.ts";
import { readCommandLine } from "./command-line.ts";
import { declareSettings } from "./declare-settings.ts";
import { programOf } from "./program-under-test.ts";
import { setting } from "./setting.ts";

const settings = declareSettings({ pass: setting.secret({ env: ["PASS"], about: "Password." }) });
const program = { name: "app", version: "1.2.3", about: "Does one thing.", settings };

async function passFrom(path: string): Promise<string> {
  const result = await readCommandLine(program, { argv: [], env: { PASS_FILE: path } });
  if (result.kind === "run") return `value: ${result.config.pass?.reveal()}`;
  return /wrong: (.*)/.exec(result.stderr)?.[0] ?? result.stderr;
}

const tempDir = () => mkdtempDisposable(join(tmpdir(), "config-"));

describe("a file that a variable names, on a real disk", () => {
  test.each([
    ["hunter2", "hunter2"],
    ["hunter2\n", "hunter2"],
    ["hunter2\r\n", "hunter2"],
    ["hunter2\n\n", "hunter2\n"],
    [" hunter 2 \t", " hunter 2 \t"],
    ["two\nlines\n", "two\nlines"],
    ["\ufeffpässword\n", "pässword"],
  ])("%j gives %j", async (content, value) => {
    await using dir = await tempDir();
    const path = join(dir.path, "secret");
    await writeFile(path, content);
    expect(await passFrom(path)).toBe(`value: ${value}`);
  });

  test("may be a symlink, as in a mounted Secret", async () => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, "..data"), "hunter2");
    await symlink("..data", join(dir.path, "pass"));
    expect(await passFrom(join(dir.path, "pass"))).toBe("value: hunter2");
  });

  test("may have 64 KiB and no byte more", async () => {
    await using dir = await tempDir();
    const path = join(dir.path, "secret");
    await writeFile(path, "x".repeat(65_536));
    expect(await passFrom(path)).toHaveLength("value: ".length + 65_536);
    await writeFile(path, "x".repeat(65_537));
    expect(await passFrom(path)).toBe("wrong: the file is larger than 64 KiB");
  });

  test("a file that has more than it says it has is read only up to the limit", async () => {
    expect(await readTextFile("/proc/self/maps", 100)).toEqual({
      ok: false,
      missing: false,
      problem: "is larger than 100 bytes",
    });
  });

  test("a FIFO is refused rather than waited for", async () => {
    await using dir = await tempDir();
    const path = join(dir.path, "fifo");
    execFileSync("mkfifo", [path]);
    expect(await passFrom(path)).toBe("wrong: the file is not a regular file");
  });

  test.each([
    ["a device", "/dev/zero", "is not a regular file"],
    ["a directory", tmpdir(), "is a directory"],
    ["a missing file", "/nowhere/secret", "does not exist"],
    ["a file in a file", "/dev/null/secret", "does not exist"],
  ])("%s is a fault", async (_, path, problem) => {
    expect(await passFrom(path)).toBe(`wrong: the file ${problem}`);
  });

  test("bytes that are no text are a fault, not a password", async () => {
    await using dir = await tempDir();
    const path = join(dir.path, "secret");
    await writeFile(path, Buffer.from([0xff, 0xfe, 0x00]));
    expect(await passFrom(path)).toBe("wrong: the file is not UTF-8 text");
  });

  test("a file that cannot be read is a fault even where a later variable has a value", async () => {
    const two = programOf({ pass: setting.secret({ env: ["PASS", "QBIT_PASS"], about: "Password." }) });
    const { stderr } = await two.exit({ env: { PASS_FILE: "/run/pass", QBIT_PASS: "hunter2" } });
    expect(stderr).toContain("from:  PASS_FILE (/run/pass)\n    wrong: the file does not exist\n");
  });
});

describe("a file that is changed later", () => {
  test("gives its new value to who asks for the current one, and the old one while it is gone or empty", async () => {
    await using dir = await tempDir();
    const path = join(dir.path, "secret");
    await writeFile(path, "old\n");
    const result = await readCommandLine(program, { argv: [], env: { PASS_FILE: path } });
    if (result.kind === "exit") throw new Error(result.stderr);
    const { pass } = result.config;
    await writeFile(path, "new\n");
    expect(await pass?.current()).toBe("new");
    expect(pass?.reveal()).toBe("old");
    await writeFile(path, "");
    expect(await pass?.current()).toBe("old");
    await rm(path);
    expect(await pass?.current()).toBe("old");
  });
});

describe("variables that end in _FILE by themselves", () => {
  test("PORT_FILE is never read as the value of PORT: a pod-wide envFrom sets it for port-sync", async () => {
    const destination = programOf({
      listen: setting.address({ env: ["GRPC_PORT", "PORT"], default: ":50051", about: "Where." }),
    });
    const { sources, warnings } = await destination.run({
      env: { PORT_FILE: "/tmp/gluetun/forwarded_port" },
      files: { "/tmp/gluetun/forwarded_port": "12345" },
    });
    expect(sources["listen"]).toBe("default");
    expect(warnings).toEqual([]);
  });

  test("PORT_FILE is a path, and PORT_FILE_FILE names the file that holds it", async () => {
    const portSync = programOf({
      portFile: setting.path({ env: ["PORT_FILE"], about: "File with the port." }),
    });
    expect((await portSync.run({ env: { PORT_FILE: "/tmp/port" } })).config.portFile).toBe("/tmp/port");
    const { config } = await portSync.run({
      env: { PORT_FILE_FILE: "where" },
      files: { where: "/tmp/other\n" },
    });
    expect(config.portFile).toBe("/tmp/other");
  });
});
