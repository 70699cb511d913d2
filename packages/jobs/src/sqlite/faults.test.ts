import { FakeClock, tempDir } from "@qbit-sidecars/testing";
import { execFile } from "node:child_process";
import { open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { type OpenFault, QueueOpenError, QueueUnavailableError } from "../errors.ts";
import { examineQueue } from "../examine-queue.ts";
import { openQueue } from "../open-queue.ts";

const execute = promisify(execFile);
const hash = "a".repeat(40);

async function setUp() {
  const dir = await tempDir("jobs-");
  const path = join(dir.path, "qbt-rules.db");
  return {
    dir,
    path,
    open: () => openQueue({ backend: "sqlite", path }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

async function faultOf(opening: Promise<unknown>): Promise<{ fault: OpenFault; message: string }> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof QueueOpenError)) throw new Error("it opened, or failed otherwise", { cause: error });
  return { fault: error.fault, message: error.message };
}

describe("the database file", { timeout: 60_000 }, () => {
  test("a second process is told that the first one has it, and what would be right", async () => {
    await using under = await setUp();
    await using _first = await under.open();
    await expect(faultOf(under.open())).resolves.toEqual({
      fault: "in use",
      message: expect.stringMatching(/in use by another process.*QBT_RULES_QUEUE_BACKEND=redis/u),
    });
    const program = `
      import { openQueue } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
      await openQueue({ backend: "sqlite", path: ${JSON.stringify(under.path)} }).catch((error) => console.log(error.fault));`;
    const { stdout } = await execute(process.execPath, ["--input-type=module", "--eval", program]);
    expect(stdout.trim()).toBe("in use");
  });

  test("a damaged database is refused, and said to be so", async () => {
    await using under = await setUp();
    {
      await using queue = await under.open();
      for (let n = 0; n < 300; n += 1) await queue.enqueue({ context: `context ${n}` });
    }
    const file = await open(under.path, "r+");
    const { size } = await file.stat();
    for (let at = 4096; at < size; at += 4096) await file.write(Buffer.alloc(512, 0xa5), 0, 512, at);
    await file.close();
    await expect(faultOf(under.open())).resolves.toEqual({
      fault: "corrupt",
      message: expect.stringContaining("is damaged: move it"),
    });
  });

  test("a file that is no database is refused and left as it is", async () => {
    await using under = await setUp();
    await writeFile(under.path, "rules:\n  - name: not a database\n".repeat(100));
    await expect(faultOf(under.open())).resolves.toMatchObject({ fault: "corrupt" });
    await expect(readFile(under.path, "utf8")).resolves.toMatch(/^rules:/u);
  });

  test("a database of a newer version is left alone", async () => {
    await using under = await setUp();
    await (await under.open())[Symbol.asyncDispose]();
    const db = new DatabaseSync(under.path);
    db.exec("INSERT INTO schema_version (version) VALUES (99)");
    db.close();
    await expect(faultOf(under.open())).resolves.toMatchObject({ fault: "too new" });
  });

  test("a look at it finds the same faults, and writes nothing", async () => {
    await using under = await setUp();
    const look = async () => await examineQueue({ backend: "sqlite", path: under.path });
    await expect(look()).resolves.toMatchObject({ seen: expect.stringContaining("is not there yet") });
    expect(await readdir(under.dir.path)).toEqual([]);
    await (await under.open())[Symbol.asyncDispose]();
    await expect(look()).resolves.toMatchObject({ seen: expect.stringContaining("can be used (schema 2)") });
    {
      // Its newest changes are beside it, and whoever has it open is not disturbed.
      await using queue = await under.open();
      await queue.enqueue({ hash });
      await expect(look()).resolves.toMatchObject({ seen: expect.stringContaining("can be used") });
      await expect(queue.enqueue({ context: "after the look" })).resolves.toMatchObject({ coalesced: false });
    }
    const db = new DatabaseSync(under.path);
    db.exec("INSERT INTO schema_version (version) VALUES (99)");
    db.close();
    await expect(faultOf(look())).resolves.toMatchObject({ fault: "too new" });
    await writeFile(under.path, "not a database ".repeat(100));
    await expect(faultOf(look())).resolves.toMatchObject({ fault: "corrupt" });
    const inFile = join(under.path, "x.db");
    await expect(faultOf(examineQueue({ backend: "sqlite", path: inFile }))).resolves.toMatchObject({
      fault: "not writable",
    });
  });

  test("a migration that fails leaves the database as it was", async () => {
    await using under = await setUp();
    await (await under.open())[Symbol.asyncDispose]();
    const db = new DatabaseSync(under.path);
    db.exec("DELETE FROM schema_version WHERE version = 2");
    const before = db.prepare("SELECT * FROM runs").all();
    db.close();
    // The second migration makes columns and a table that are there already.
    expect(await faultOf(under.open())).toEqual({
      fault: "not migrated",
      message: expect.stringContaining("could not be brought to the newest schema and is as it was"),
    });
    const after = new DatabaseSync(under.path);
    expect(after.prepare("SELECT max(version) AS version FROM schema_version").get()).toEqual({ version: 1 });
    expect(after.prepare("SELECT * FROM runs").all()).toEqual(before);
    after.close();
  });

  test("rows that somebody else wrote do not hide the others", async () => {
    await using under = await setUp();
    const queue = await under.open();
    const ids = await Promise.all(
      ["a", "b"].map(async (context) => (await queue.enqueue({ context })).job.id),
    );
    await queue[Symbol.asyncDispose]();
    const db = new DatabaseSync(under.path);
    db.prepare("UPDATE jobs SET status = 'completed', result = ? WHERE id = ?").run("not JSON", ids[0] ?? "");
    db.prepare("UPDATE jobs SET status = 'completed', result = ? WHERE id = ?").run("[1]", ids[1] ?? "");
    db.close();
    await using again = await under.open();
    await expect(again.get(ids[0] ?? "")).resolves.toMatchObject({ result: { value: "not JSON" } });
    await expect(again.get(ids[1] ?? "")).resolves.toMatchObject({ result: { value: "[1]" } });
    expect(await again.workers()).toBe(0);
    const stop = new AbortController();
    const taking = again.take({ signal: stop.signal });
    await expect(again.take({ signal: stop.signal })).rejects.toThrow("being taken from already");
    stop.abort(new Error("enough"));
    await expect(taking).rejects.toThrow("enough");
  });

  test("a folder that cannot be made is said to be so", async () => {
    await using under = await setUp();
    await writeFile(join(under.dir.path, "file"), "");
    const path = join(under.dir.path, "file", "qbt-rules.db");
    await expect(faultOf(openQueue({ backend: "sqlite", path }))).resolves.toMatchObject({
      fault: "not writable",
    });
  });

  test("what was being processed when the process ended is pending again as soon as the file is open", async () => {
    await using under = await setUp();
    const before = await under.open();
    await before.enqueue({ hash });
    await before.take({ signal: AbortSignal.timeout(10_000) });
    await before[Symbol.asyncDispose]();
    await using queue = await under.open();
    await expect(queue.counts()).resolves.toMatchObject({ pending: 1, processing: 0 });
  });

  test("what is inconsistent is repaired while opening", async () => {
    await using under = await setUp();
    await (await under.open())[Symbol.asyncDispose]();
    const db = new DatabaseSync(under.path);
    db.exec(`
      INSERT INTO jobs (id, context, status, created_at) VALUES
        ('lost', 'x', 'pending', '2025-12-13T10:00:00.000Z'), ('over', 'y', 'completed', '2025-12-13T10:00:00.000Z');
      INSERT INTO queue (job_id) VALUES ('over');`);
    db.close();
    await using queue = await under.open();
    await using taken = await queue.take({ signal: AbortSignal.timeout(10_000) });
    expect(taken.jobs.map(({ id }) => id)).toEqual(["lost"]);
    await expect(queue.repair()).resolves.toEqual({ found: [] });
  });
});

const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];

/** Runs a program with mounts of its own, which end with it; undefined where this machine does not allow that. */
async function inNamespace(mount: string, program: string): Promise<{ stdout: string } | undefined> {
  const script = `${mount} && exec "$0" --input-type=module --eval "$1"`;
  try {
    return await execute("unshare", [...asRoot, "--mount", "sh", "-c", script, process.execPath, program]);
  } catch (error) {
    if (error instanceof Error && "stderr" in error && /unshare|ENOENT|mount:/u.test(String(error.stderr)))
      return undefined;
    throw error;
  }
}

function tellSkip(skip: () => void): void {
  console.error("\nSKIPPING TESTS: this user may not mount file systems (unshare --mount)\n");
  skip();
}

const index = JSON.stringify(new URL("../index.ts", import.meta.url).href);

describe("the volume", { timeout: 60_000 }, () => {
  test("a read-only volume is said to be so", async ({ skip }) => {
    await using under = await setUp();
    await (await under.open())[Symbol.asyncDispose]();
    const dir = under.dir.path;
    const did = await inNamespace(
      `mount --bind '${dir}' '${dir}' && mount -o remount,ro,bind '${dir}'`,
      `import { openQueue } from ${index};
       await openQueue({ backend: "sqlite", path: ${JSON.stringify(under.path)} })
         .catch((error) => console.log(error.fault + ": " + error.message));`,
    );
    if (did === undefined) return tellSkip(skip);
    expect(did.stdout).toMatch(/^not writable: .*cannot be opened for writing/u);
  });

  test("a full disk refuses new jobs and says so, loses none, and goes on when there is room", async ({
    skip,
  }) => {
    await using under = await setUp();
    const dir = under.dir.path;
    const did = await inNamespace(
      `mount -t tmpfs -o size=5m tmpfs '${dir}'`,
      `import { openQueue } from ${index};
       import { execFileSync } from "node:child_process";
       const queue = await openQueue({ backend: "sqlite", path: ${JSON.stringify(under.path)} });
       const { job: first } = await queue.enqueue({ context: "first" });
       const run = await queue.take({ signal: AbortSignal.timeout(10_000) });
       const stored = [];
       let refused;
       for (let n = 0; n < 100_000 && refused === undefined; n += 1)
         await queue.enqueue({ context: "context " + n }).then(({ job }) => stored.push(job.id), (error) => { refused = error; });
       const sick = await queue.health();
       const there = (await Promise.all(stored.map((id) => queue.get(id)))).filter(Boolean).length;
       // Neither its end nor its return can be recorded.
       const result = { text: "x".repeat(100_000) };
       const unrecorded = await run.settle([{ id: first.id, outcome: { kind: "completed", result } }]).catch(({ name }) => name);
       await run[Symbol.asyncDispose]();
       execFileSync("mount", ["-o", "remount,size=16m", ${JSON.stringify(dir)}]);
       const { job } = await queue.enqueue({ context: "after" });
       const well = await queue.health();
       await using again = await queue.take({ signal: AbortSignal.timeout(10_000) });
       console.log(JSON.stringify({ refused: refused.name, cause: refused.cause.message, stored: stored.length, there,
         sick, unrecorded, again: again.context, after: job.status, counts: await queue.counts(), well }));`,
    );
    if (did === undefined) return tellSkip(skip);
    const told = JSON.parse(did.stdout);
    expect(told).toMatchObject({
      refused: "QueueUnavailableError",
      cause: "database or disk is full",
      sick: { ok: false, detail: "storing jobs: database or disk is full" },
      unrecorded: "QueueUnavailableError",
      again: "first",
      after: "pending",
      well: { ok: true },
    });
    expect(told.stored).toBeGreaterThan(100);
    expect(told.there).toBe(told.stored);
    expect(told.counts).toMatchObject({ pending: told.stored + 1, processing: 1 });
  });

  test("an end that cannot be recorded can be recorded later", async () => {
    await using under = await setUp();
    await using queue = await under.open();
    const { job } = await queue.enqueue({ hash });
    await using taken = await queue.take({ signal: AbortSignal.timeout(10_000) });
    // More than JSON can hold: the write fails as on a full disk.
    const details: unknown[] = [];
    details.push(details);
    const outcome = { kind: "completed", result: {}, details: details as never } as const;
    await expect(taken.settle([{ id: job.id, outcome }])).rejects.toThrow(QueueUnavailableError);
    await expect(queue.health()).resolves.toMatchObject({ ok: false });
    await taken.settle([{ id: job.id, outcome: { kind: "completed", result: {} } }]);
    await expect(queue.get(job.id)).resolves.toMatchObject({ status: "completed" });
    await expect(queue.health()).resolves.toMatchObject({ ok: true });
  });
});

describe("a database of qbt-rules 0.4 to 0.6", () => {
  // As its SQLiteQueue wrote it.
  const old = `
    CREATE TABLE jobs (id TEXT PRIMARY KEY, context TEXT, hash TEXT, status TEXT NOT NULL,
      created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, started_at TIMESTAMP, completed_at TIMESTAMP,
      result TEXT, error TEXT);
    CREATE INDEX idx_status ON jobs(status);
    CREATE INDEX idx_created_at ON jobs(created_at);
    CREATE INDEX idx_context ON jobs(context);
    CREATE INDEX idx_completed_at ON jobs(completed_at);
    CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE, priority INTEGER DEFAULT 0,
      FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE CASCADE);
    CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO schema_version (version) VALUES (1);
    INSERT INTO jobs VALUES
      ('done', 'scheduled', NULL, 'completed', '2025-12-13 10:00:00.123456', '2025-12-13 10:00:01', '2025-12-13 10:00:05',
        '{"torrents_processed": 15, "rules_matched": 3, "dry_run": false}', NULL),
      ('stuck', 'on_added', NULL, 'processing', '2025-12-13 11:00:00', '2025-12-13 11:00:01', NULL, NULL, NULL),
      ('gone', 'on_added', NULL, 'cancelled', '2025-12-13 12:00:00+00:00', NULL, NULL, NULL, NULL),
      ('waits', NULL, 'ABCDEF', 'pending', '2025-12-13 13:00:00', NULL, NULL, NULL, NULL);
    INSERT INTO queue (job_id) VALUES ('waits');`;

  test("is taken over: times as the API tells them, nothing lost, what was stuck is over, a backup beside it", async () => {
    await using under = await setUp();
    const db = new DatabaseSync(under.path);
    db.exec(old);
    db.close();
    const before = await stat(under.path);
    const clock = new FakeClock(Date.UTC(2025, 11, 20));
    await using queue = await openQueue({ backend: "sqlite", path: under.path, clock });
    await expect(queue.get("done")).resolves.toMatchObject({
      status: "completed",
      createdAt: "2025-12-13T10:00:00.123Z",
      completedAt: "2025-12-13T10:00:05.000Z",
      result: { torrents_processed: 15, rules_matched: 3, dry_run: false },
    });
    await expect(queue.get("stuck")).resolves.toMatchObject({ status: "failed", error: expect.any(String) });
    await expect(queue.get("gone")).resolves.toMatchObject({ completedAt: "2025-12-13T12:00:00.000Z" });
    await using taken = await queue.take({ signal: AbortSignal.timeout(10_000) });
    expect(taken.jobs).toMatchObject([{ id: "waits", hash: "abcdef" }]);
    await expect(queue.removeEnded({ olderThanMs: 86_400_000 })).resolves.toBe(2);

    expect(await readdir(under.dir.path)).toContain("qbt-rules.db.v1.backup");
    const backup = new DatabaseSync(`${under.path}.v1.backup`, { readOnly: true });
    expect(backup.prepare("SELECT count(*) AS n FROM jobs WHERE status = 'processing'").get()).toEqual({
      n: 1,
    });
    backup.close();
    expect(before.size).toBeGreaterThan(0);
  });

  test("is as it was when taking it over fails", async () => {
    await using under = await setUp();
    const db = new DatabaseSync(under.path);
    db.exec(old);
    db.exec("CREATE TABLE runs (in_the_way TEXT)");
    db.close();
    await expect(faultOf(under.open())).resolves.toBeDefined();
    const again = new DatabaseSync(under.path);
    expect(again.prepare("SELECT status, created_at FROM jobs WHERE id = 'stuck'").get()).toEqual({
      status: "processing",
      created_at: "2025-12-13 11:00:00",
    });
    again.close();
  });
});
