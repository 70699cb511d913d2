import { tempDir } from "@qbit-sidecars/testing";
import { spawnSync } from "node:child_process";
import { chmod, cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DoctorCheck } from "./check.ts";
import { compareClocks } from "./clock-skew.ts";
import { keptFile, readableFolder, writableFolder } from "./folders.ts";
import { listenAddress } from "./listeners.ts";

const look = async (check: DoctorCheck) => await check.look(new AbortController().signal);

test("a folder that can be written, or made, is fine, and nothing is written", async () => {
  await using dir = await tempDir();
  const check = (path: string) => look(writableFolder({ name: "state", path, setting: "STATE_DIR" }));
  expect(await check(dir.path)).toEqual({ verdict: "ok", seen: `${dir.path} can be written` });
  expect(await check(join(dir.path, "a/b"))).toMatchObject({
    verdict: "ok",
    seen: expect.stringContaining("can be made"),
  });
  expect(await readdir(dir.path)).toEqual([]);
});

test("a folder that is not there, or is none, cannot be read", async () => {
  await using dir = await tempDir();
  await writeFile(join(dir.path, "file"), "");
  const check = (path: string) => look(readableFolder({ name: "data", path, setting: "DATA" }));
  expect(await check(dir.path)).toMatchObject({ verdict: "ok" });
  expect(await check(join(dir.path, "x"))).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("mount it"),
  });
  expect(await check(join(dir.path, "file"))).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("is no folder"),
  });
});

// Root may do everything, so that permissions have to be looked at by somebody else.
test("a folder that this user may not write or read is told with the user's number", async () => {
  await using dir = await tempDir();
  await mkdir(join(dir.path, "closed"), { mode: 0o700 });
  await mkdir(join(dir.path, "shown"));
  // By themselves: whoever looks need not be able to read where this repository lies.
  await cp(new URL(".", import.meta.url), join(dir.path, "doctor"), { recursive: true });
  await cp(new URL("../error-code.ts", import.meta.url), join(dir.path, "error-code.ts"));
  for (const path of [dir.path, join(dir.path, "shown")]) await chmod(path, 0o755);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot)
    for (const path of ["closed", "shown"]) await chmod(join(dir.path, path), path === "closed" ? 0 : 0o555);
  const script = `
    import { readableFolder, writableFolder } from ${JSON.stringify(join(dir.path, "doctor/folders.ts"))};
    const found = [];
    for (const [make, path] of [[readableFolder, "closed"], [writableFolder, "shown"], [readableFolder, "shown"]])
      found.push(await make({ name: "x", path: ${JSON.stringify(dir.path)} + "/" + path, setting: "DATA" }).look());
    console.log(JSON.stringify(found));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: "/",
    encoding: "utf8",
    ...(isRoot && { uid: 65_534, gid: 65_534 }),
  });
  const user = isRoot ? 65_534 : process.getuid?.();
  expect(JSON.parse(stdout || JSON.stringify(stderr))).toMatchObject([
    { verdict: "problem", seen: `${dir.path}/closed may not be read by user ${user} (EACCES)` },
    { verdict: "problem", seen: `${dir.path}/shown cannot be written by user ${user} (EACCES)` },
    { verdict: "ok" },
  ]);
  if (!isRoot) for (const path of ["closed", "shown"]) await chmod(join(dir.path, path), 0o755);
});

test("a kept file: none yet, a good one, and one that cannot be used", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "state.json");
  const fault = (text: string) => (text === "good" ? undefined : "it is damaged");
  const check = () => look(keptFile({ name: "state", path, fault, onFault: "begins anew" }));
  expect(await check()).toMatchObject({ verdict: "ok", seen: `${path} is not there yet` });
  await writeFile(path, "good");
  expect(await check()).toMatchObject({ verdict: "ok" });
  await writeFile(path, "bad");
  expect(await check()).toMatchObject({
    verdict: "problem",
    seen: `${path}: it is damaged`,
    todo: expect.stringContaining("it begins anew"),
  });
  const beneath = join(path, "state.json");
  expect(await look(keptFile({ name: "state", path: beneath, fault, onFault: "" }))).toMatchObject({
    verdict: "ok",
    seen: `${beneath} is not there yet`,
  });
  expect(await look(keptFile({ name: "state", path: dir.path, fault, onFault: "" }))).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("EISDIR"),
  });
});

test("an address is free, ours, another program's, or nowhere", async () => {
  let body = '{"status":"ok","name":"app"}';
  const server = createServer((_request, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("no port");
  const taken = { host: "127.0.0.1", port: at.port };
  const check = (address: { host: string | undefined; port: number }) =>
    look(listenAddress({ name: "health", address, setting: "HEALTH_ADDR", app: "app", health: taken }));
  expect(await check({ host: "127.0.0.1", port: 0 })).toMatchObject({ verdict: "ok" });
  expect(await check(taken)).toMatchObject({ verdict: "ok", seen: expect.stringContaining("app runs") });
  body = '{"status":"ok","name":"another-app"}';
  expect(await check(taken)).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("taken by another-app"),
  });
  for (body of ["not JSON", "[]", "x".repeat(300_000)])
    expect(await check(taken)).toMatchObject({ seen: expect.stringContaining("taken by another program") });
  expect(await check({ host: "192.0.2.1", port: 1 })).toMatchObject({ verdict: "problem" });
  server.close();
});

test("clocks within half a minute agree, and others are told with their distance", () => {
  const noon = Date.UTC(2026, 0, 1, 12);
  const compare = (theirs: string | number | undefined, tookMs = 100) =>
    compareClocks({
      whose: "ntfy",
      theirs,
      askedMs: noon,
      answeredMs: noon + tookMs,
      matters: "all is late",
    });
  expect(compare(new Date(noon).toUTCString())).toMatchObject({ verdict: "ok" });
  expect(compare(noon - 29_000)).toMatchObject({ verdict: "ok" });
  expect(compare(noon - 3_600_000)).toMatchObject({
    verdict: "problem",
    seen: "this clock is 3599 s ahead of that of ntfy: all is late",
  });
  expect(compare(noon + 120_000)).toMatchObject({ seen: expect.stringContaining("120 s behind") });
  // A slow answer is no wrong clock.
  expect(compare(noon + 60_000, 60_000)).toMatchObject({ verdict: "ok" });
  for (const untold of [undefined, "yesterday"])
    expect(compare(untold)).toMatchObject({ verdict: "unknown" });
});

test("beside a public server's clock it is this one that is to be put right", () => {
  const compare = (theirs: string | undefined) =>
    compareClocks({
      whose: "pia.example",
      theirs,
      isReference: true,
      askedMs: 0,
      answeredMs: 0,
      matters: "all is late",
    });
  expect(compare("Thu, 01 Jan 1970 01:00:00 GMT")).toMatchObject({
    verdict: "problem",
    seen: "this clock is 3600 s behind that of pia.example: all is late",
    todo: expect.stringMatching(/^keep this machine's time by NTP/u),
  });
  expect(compare(undefined)).toMatchObject({ todo: "compare `date` with the time of day" });
});
