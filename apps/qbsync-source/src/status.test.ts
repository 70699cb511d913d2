import { freePort, makeTorrent, startFakeQbittorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DestinationStandIn } from "./destination-under-test.ts";
import { drawStatus, type ShownStatus, type ShownTorrent } from "./draw-status.ts";
import { program } from "./program.ts";
import { runSource } from "./source-under-test.ts";
import { fitted, plainName, widthOf } from "./terminal-text.ts";

const torrent = (fields: Partial<ShownTorrent> = {}): ShownTorrent => ({
  id: "a",
  name: "ubuntu.iso",
  state: "syncing",
  size_bytes: 1_000_000_000,
  here: 0.8,
  there_bytes: 500_000_000,
  ...fields,
});
const status = (...torrents: ShownTorrent[]): ShownStatus => ({
  address: "nas:50051",
  destination: { program: "qbsync-destination 0.1.0", connections: 2 },
  dry_run: false,
  in_flight_bytes: 4_000_000,
  answer_ms: 38.4,
  torrents,
});
const rates = { all: 24_300_000, torrents: new Map([["a", 10_000_000]]) };
const options = { columns: 80, rows: 24, hasColor: false, showsAll: false };

describe("the picture", () => {
  test("has the link, the figures, and a bar for what is there, here, and not yet here", () => {
    const lines = drawStatus(status(torrent()), rates, options);
    expect(lines.slice(0, 2)).toEqual([
      "to qbsync-destination 0.1.0 at nas:50051, 2 connections",
      "sending 24 MB/s, 4.0 MB under way, answers after 38 ms",
    ]);
    expect(lines[3]).toMatch(/^ubuntu\.iso +█{12,15}▒{7,9}░{4,6}  50 % +10 MB\/s  30s$/);
    expect(lines.at(-1)).toBe(
      "1 synced, 0 on their way, 0 waiting or left alone (GET /plan says why)".replace(
        "1 synced, 0",
        "0 synced, 1",
      ),
    );
  });

  test("says why a torrent is not on its way, hides synced ones unless asked, and what does not fit", () => {
    const torrents = [
      torrent({ id: "b", name: "mine", state: "tagged private" }),
      torrent({ id: "c", name: "old", state: "synced" }),
      ...Array.from({ length: 40 }, (_, at) =>
        torrent({ id: `d${at}`, name: `many ${at}`, state: "checkingUP" }),
      ),
    ];
    const lines = drawStatus(status(...torrents), rates, options);
    expect(lines.find((line) => line.startsWith("mine"))).toMatch(/^mine +tagged private$/);
    expect(lines.some((line) => line.startsWith("old"))).toBe(false);
    expect(lines.at(-2)).toBe("… and 23 more");
    expect(lines.length).toBeLessThan(options.rows);
    const all = drawStatus(status(...torrents), rates, { ...options, rows: 100, showsAll: true });
    expect(all.some((line) => line.startsWith("old"))).toBe(true);
  });

  test("is coloured only where asked, and tells that the destination is away", () => {
    const text = drawStatus(status(torrent()), rates, { ...options, hasColor: true }).join("\n");
    expect(text).toContain("\u001b[32m█");
    expect(drawStatus(status(torrent()), rates, options).join("")).not.toContain("\u001b");
    expect(drawStatus({ ...status(), destination: undefined }, rates, options)[0]).toBe("nas:50051 is away");
  });

  test("of any torrent on any terminal has no line that is too wide, and no name moves the cursor", () => {
    fc.assert(
      fc.property(
        fc.record({
          name: fc.string({ unit: "binary" }),
          state: fc.oneof(fc.constant("syncing"), fc.string({ unit: "binary" })),
          size_bytes: fc.nat(),
          here: fc.double({ min: 0, max: 1, noNaN: true }),
          there_bytes: fc.oneof(fc.nat(), fc.constant(null)),
        }),
        fc.integer({ min: 50, max: 300 }),
        (some, columns) => {
          const lines = drawStatus(status(torrent(some)), rates, { ...options, columns });
          for (const line of lines) {
            expect(widthOf(line)).toBeLessThanOrEqual(columns);
            expect(line).not.toMatch(/\p{Cc}|[\u202a-\u202e]/u);
          }
        },
      ),
    );
  });
});

test("names are cut and filled to columns, wide characters counted twice", () => {
  expect(fitted("abc", 5)).toBe("abc  ");
  expect(fitted("abcdef", 4)).toBe("abc…");
  expect(fitted("日本語", 4)).toBe("日… ");
  expect(plainName("a\u001b[31mb\u202ec\n")).toBe("a[31mbc");
});

const made = makeTorrent({ version: "v1", name: "film", files: [{ path: "film.mkv", size: 300_000 }] });

type Plan = { torrents: { name: string; sync: object; clean_up: object }[] };

/** The command as a terminal would run it. */
async function command(argv: string[], env: Record<string, string> = {}, tty?: { columns: number }) {
  let [out, err] = ["", ""];
  const stream = { write: (text: string) => (out += text), ...(tty && { isTTY: true, ...tty }) };
  const process = {
    argv: ["node", "main.ts", "status", ...argv],
    env,
    stdout: stream,
    stderr: { write: (text: string) => (err += text) },
    exitCode: undefined as number | string | null | undefined,
    on: () => {},
    exit: () => {},
  };
  await program(process);
  return { code: process.exitCode, out, err };
}

describe("a running source", () => {
  test("tells how far torrents are by the command, and by /plan why one is left alone; both to this machine only", async () => {
    await using data = await tempDir();
    await using qbittorrent = await startFakeQbittorrent({
      torrents: [{ torrent: made.torrent, tags: ["mine"] }, { name: "other" }],
    });
    await using destination = await DestinationStandIn.start();
    await using source = await runSource({
      QBSYNC_SOURCE_DATA: data.path,
      QBSYNC_SOURCE_QB_URL: qbittorrent.url,
      QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${destination.port}`,
      QBSYNC_SOURCE_EXCLUDE_SYNC_TAG: "mine",
    });
    await waitFor(async () => (await source.status()).includes("film"), { what: "the torrents to be seen" });
    await waitFor(async () => (await source.status()).includes('"destination"'), {
      what: "the destination to be reached",
    });
    const env = { QBSYNC_SOURCE_HEALTH_ADDR: new URL(source.healthUrl).host };
    const plan = await waitFor(
      async () => {
        const text = await (await fetch(`${source.healthUrl}/plan`)).text();
        return text.includes("not looked at yet") ? undefined : (JSON.parse(text) as Plan);
      },
      { what: "the clean-up to have looked at all" },
    );
    expect(plan).toMatchObject({ dry_run: false, min_space_bytes: 50e9, free_bytes: expect.any(Number) });
    expect(plan.torrents.find(({ name }) => name === "film")?.clean_up).toMatchObject({ plan: "stay" });
    expect(plan.torrents.find(({ name }) => name === "film")?.sync).toEqual({
      plan: "leave",
      why: "tagged mine",
    });
    const once = await command(["--once"], env);
    expect(once).toMatchObject({ code: 0, err: "" });
    expect(once.out).toMatch(/^to stand-in at 127\.0\.0\.1:\d+, \d connections?/);
    expect(once.out).toMatch(/\nfilm +tagged mine\n/);
    const piped = await command([], env);
    expect(piped.out).not.toContain("\u001b");
    const json = await command(["--json"], env);
    expect(JSON.parse(json.out)).toMatchObject({
      torrents: expect.arrayContaining([expect.objectContaining({ name: "film" })]),
    });
    for (const path of ["/status", "/plan"]) {
      const foreign = await fetch(`${source.healthUrl}${path}`, {
        headers: { "x-forwarded-for": "192.0.2.1" },
      });
      expect(foreign.status).toBe(403);
      expect(await foreign.text()).not.toContain("film");
    }
    expect(await (await fetch(`${source.healthUrl}/metrics`)).text()).not.toContain("film");
  });

  test("that is not there is told in words, with exit code 1; a word that is none with 2", async () => {
    const gone = await command(["--once", `--health-addr=127.0.0.1:${await freePort()}`]);
    expect(gone).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("is qbsync-source running"),
    });
    expect(await command(["--twice"])).toMatchObject({ code: 2, err: expect.stringContaining("no --twice") });
    expect(await command(["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("--json") });
  });
});
