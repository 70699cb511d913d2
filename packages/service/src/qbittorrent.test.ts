import { declareSettings, qbitSettings, readCommandLine } from "@qbit-sidecars/config";
import { FakeClock, startFakeQbittorrent, tempDir } from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createLog } from "./log.ts";
import { openQbittorrent, qbittorrentCheck } from "./qbittorrent.ts";
import type { Loop } from "./reconcile-loop.ts";

const settings = declareSettings(qbitSettings({ url: { required: true } }));

test("a password that is corrected in its file is used at the next try, without a restart", async () => {
  await using fake = await startFakeQbittorrent({ auth: { username: "admin", password: "right" } });
  await using dir = await tempDir();
  const path = join(dir.path, "qbit_pass");
  await writeFile(path, "wrong\n");
  const read = await readCommandLine(
    { name: "app", version: "0", about: "", settings },
    { argv: [], env: { QBIT_URL: fake.url, QBIT_PASS_FILE: path } },
  );
  if (read.kind === "exit") throw new Error(read.stderr);
  await using closers = new AsyncDisposableStack();
  const log = await createLog({
    name: "app",
    level: "silent",
    format: "json",
    output: { write: () => true },
  });
  const client = await openQbittorrent(read.config, { clock: new FakeClock(), log, closers });
  await expect(client.app.preferences()).rejects.toThrow(/refused the user name or password/u);
  await writeFile(path, "right\n");
  await expect(client.app.preferences()).resolves.toHaveProperty("listen_port");
  expect(fake.calls.count("auth/login")).toBe(2);
});

test("whether qBittorrent answers is what the loop that asks it has seen last", () => {
  let [failures, reason] = [0, "in sync"];
  const check = qbittorrentCheck(
    { qbitUrl: "http://localhost:8080" },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it looks at of a loop
    { status: () => ({ failures, reason }) } as Loop,
  );
  expect(check()).toEqual({ ok: true, detail: "answers at http://localhost:8080" });
  [failures, reason] = [2, "connection refused"];
  expect(check()).toEqual({ ok: false, detail: "connection refused" });
});
