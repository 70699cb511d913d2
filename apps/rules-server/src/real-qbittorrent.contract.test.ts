import { QbitClient, tagsOf } from "@qbit-sidecars/qbit-client";
import {
  isMissing,
  makeTorrent,
  qbittorrentVersionsUnderTest,
  startQbittorrent,
  waitFor,
} from "@qbit-sidecars/testing";
import { execFile } from "node:child_process";
import { access, chmod, constants, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { startServerUnderTest, testKey } from "./server-under-test.ts";

vi.setConfig({ testTimeout: 120_000 });

const rules = `
rules:
  - name: Films
    context: [added]
    conditions: [{ field: info.name, operator: matches, value: '(?i)1080p' }]
    actions:
      - { type: set_category, params: { category: movies } }
      - { type: add_tag, params: { tag: hd } }
  - name: Finished
    context: [finished]
    conditions: [{ field: info.progress, operator: "==", value: 1 }]
    actions: [{ type: add_tag, params: { tag: done } }]
  - name: Cross-seeded
    context: [cross_seed]
    conditions: [{ field: info.size, operator: ">", value: 0 }]
    actions: [{ type: add_tag, params: { tag: cross-seed } }]
`;

/** Stands in for curl where this machine has none: the few options that hooks use. */
const curlStandIn = `#!${process.execPath}
const [url] = process.argv.slice(2).filter((word) => word.startsWith("http"));
const header = process.argv[process.argv.indexOf("-H") + 1].split(": ");
fetch(url, { method: "POST", headers: { [header[0]]: header[1] } });
`;

async function curlAt(folder: string): Promise<string> {
  try {
    await access("/usr/bin/curl", constants.X_OK);
    return "/usr/bin/curl";
  } catch {
    const path = join(folder, "curl");
    await writeFile(path, curlStandIn);
    await chmod(path, 0o755);
    return path;
  }
}

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`on qBittorrent ${version}`, () => {
    test("a webhook by curl sets category and tag; v1, v2 and hybrid torrents, by any of their names", async () => {
      await using qbittorrent = await startQbittorrent({ version });
      await using server = await startServerUnderTest({ qbittorrent: qbittorrent.url, rules });
      using client = new QbitClient({ url: qbittorrent.url });
      const curl = await curlAt(server.folder.path);
      for (const kind of ["v1", "v2", "hybrid"] as const) {
        const made = makeTorrent({
          version: kind,
          files: [{ path: `${kind}.1080p.mkv`, size: 50_000 }],
        });
        await client.torrents.add({ files: [made.torrent], stopped: true });
        const names = [made.torrentId, made.infohashV1, made.infohashV2].filter((name) => name !== undefined);
        for (const name of new Set(names)) {
          const url = `${server.url}/api/execute?context=added&hash=${name}`;
          const { stdout } = await promisify(execFile)(curl, [
            "-sS",
            "-X",
            "POST",
            "-H",
            `X-API-Key: ${testKey}`,
            url,
          ]);
          const id =
            stdout === ""
              ? (await server.post(url.slice(server.url.length))).body.job_id
              : JSON.parse(stdout).job_id;
          const job = await server.over(id);
          expect(job, `${kind} as ${name}`).toMatchObject({
            status: "completed",
            result: { rules_matched: 1, errors: 0 },
          });
        }
        const look = async () => (await client.torrents.info({ hashes: [made.torrentId] }))[0];
        await waitFor(async () => (await look())?.category === "movies", { what: `the category of ${kind}` });
        const torrent = await look();
        expect(torrent && tagsOf(torrent)).toEqual(["hd"]);
      }
    });

    test("the hooks that install-hooks sets reach the server from qBittorrent itself", async () => {
      await using qbittorrent = await startQbittorrent({ version, preferences: { refresh_interval: 100 } });
      await using server = await startServerUnderTest({ qbittorrent: qbittorrent.url, rules });
      using client = new QbitClient({ url: qbittorrent.url });
      const planned = await server.cli(["install-hooks", "--dry-run"]);
      expect(planned.stdout).toContain("on torrent finished (context finished): would be installed");
      expect((await client.app.preferences()).autorun_program).toBe("");
      const installed = await server.cli(["install-hooks"]);
      expect(installed).toMatchObject({ code: 0, stderr: "" });
      const preferences = await client.app.preferences();
      expect(preferences.autorun_enabled).toBe(true);
      expect(preferences.autorun_program).toContain("/api/execute?context=finished&hash=%K");
      expect((await server.cli(["install-hooks"])).stdout).toContain("(context finished): there already");

      // The stand-in is at another place than curl: everything else of the command is what was installed.
      const curl = await curlAt(server.folder.path);
      const at = (program: unknown) => String(program).replace(/^curl /, `${curl} `);
      const { autorun_on_torrent_added_program: onAdded } = preferences;
      await client.app.setPreferences({
        autorun_program: at(preferences.autorun_program),
        ...(onAdded !== undefined && { autorun_on_torrent_added_program: at(onAdded) }),
      });
      const made = makeTorrent({
        version: "hybrid",
        files: [{ path: "Film.1080p.mkv", size: 50_000 }],
      });
      await made.write(qbittorrent.savePath);
      // With hooks only for finished torrents (before 4.5) the rule of added ones is not asked for.
      await client.torrents.add({ files: [made.torrent], stopped: false });
      const wanted = onAdded === undefined ? ["done"] : ["done", "hd"];
      await waitFor(
        async () => {
          const [torrent] = await client.torrents.info({ hashes: [made.torrentId] });
          return torrent && String(tagsOf(torrent).toSorted()) === String(wanted);
        },
        { what: `the tags ${String(wanted)}`, timeoutMs: 45_000 },
      );
    });

    test("a hook of somebody else is left alone", async () => {
      await using qbittorrent = await startQbittorrent({ version });
      await using server = await startServerUnderTest({ qbittorrent: qbittorrent.url, rules });
      using client = new QbitClient({ url: qbittorrent.url });
      await client.app.setPreferences({ autorun_enabled: true, autorun_program: "/usr/bin/mine %N" });
      const { code, stdout } = await server.cli(["install-hooks", "--json"]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout).hooks).toContainEqual({
        hook: "on torrent finished",
        context: "finished",
        outcome: "left: another command stands there",
      });
      expect((await client.app.preferences()).autorun_program).toBe("/usr/bin/mine %N");
    });

    test("the cross-seed pattern: its webhook runs the rules of the context cross_seed", async () => {
      await using qbittorrent = await startQbittorrent({ version });
      await using server = await startServerUnderTest({ qbittorrent: qbittorrent.url, rules });
      using client = new QbitClient({ url: qbittorrent.url });
      const made = makeTorrent({ version: "v1", name: "x", files: [{ path: "x.bin", size: 10_000 }] });
      await client.torrents.add({ files: [made.torrent], stopped: true });
      await server.done(`context=cross_seed&hash=${made.torrentId}`);
      const [torrent] = await client.torrents.info({ hashes: [made.torrentId] });
      expect(torrent && tagsOf(torrent)).toEqual(["cross-seed"]);
    });
  });
}
