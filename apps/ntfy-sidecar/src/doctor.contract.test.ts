import {
  freePort,
  isMissing,
  runDoctor,
  startFakeQbittorrent,
  startNtfy,
  tempDir,
} from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { program } from "./program.ts";

const users = [
  { username: "boss", password: "right-pass" },
  { username: "writer", password: "writer-pass", role: "user", access: { downloads: "write-only" } },
] as const;

describe.skipIf(await isMissing("ntfy"))("doctor on a real ntfy", () => {
  test.each([
    { user: "boss", pass: "right-pass", login: "ok", topic: "ok", code: 0 },
    { user: "writer", pass: "writer-pass", login: "ok", topic: "unknown", code: 3 },
    { user: "boss", pass: "wrong-pass", login: "problem", topic: "unknown", code: 1 },
  ])("$user with $pass: login $login, topic $topic", async ({ user, pass, login, topic, code }) => {
    await using ntfy = await startNtfy({ users });
    await using folder = await tempDir();
    await using qbittorrent = await startFakeQbittorrent();
    const report = await runDoctor(program, {
      env: {
        QBIT_HOST: qbittorrent.url,
        NTFY_TOPIC: `${ntfy.url}/downloads`,
        NTFY_USER: user,
        NTFY_PASS: pass,
        DISCOVER: "true",
        STATE_DIR: folder.path,
        LISTEN_ADDR: `127.0.0.1:${await freePort()}`,
        HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      },
    });
    expect(report.of("ntfy login").verdict).toBe(login);
    expect(report.of("ntfy topic").verdict).toBe(topic);
    expect(report.of("clock and ntfy").verdict).toBe("ok");
    expect(report.code).toBe(code);
  });
});
