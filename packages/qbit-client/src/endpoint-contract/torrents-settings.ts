import { expect } from "vitest";
import { QbitNotFoundError } from "../errors.ts";
import { becomes, since, unknown, type Rows } from "./world.ts";

/** What is set of one torrent: files, limits, places, names. */
export const settingRows = {
  "torrents/filePrio": async (world) => {
    const { torrentId } = await world.fresh();
    const priorities = async () =>
      (await world.client.torrents.files(torrentId)).map(({ priority }) => priority);
    await world.client.torrents.setFilePriority(torrentId, { indexes: [0, 1], priority: 7 });
    // 4.2 would start the second change from the priorities before the first.
    await expect.poll(priorities).toEqual([7, 7]);
    await world.client.torrents.setFilePriority(torrentId, { indexes: [1], priority: 0 });
    await expect.poll(priorities).toEqual([7, 0]);
  },
  "torrents/downloadLimit": async (world) => {
    const { torrentId } = await world.fresh();
    expect(Object.keys(await world.client.torrents.downloadLimits([torrentId]))).toEqual([torrentId]);
  },
  "torrents/setDownloadLimit": async (world) => {
    const { torrentId } = await world.fresh();
    await world.client.torrents.setDownloadLimit([torrentId], 20_480);
    await expect
      .poll(async () => await world.client.torrents.downloadLimits([torrentId]))
      .toEqual({
        [torrentId]: 20_480,
      });
  },
  "torrents/uploadLimit": async (world) => {
    const { torrentId } = await world.fresh();
    expect(Object.keys(await world.client.torrents.uploadLimits([torrentId]))).toEqual([torrentId]);
  },
  "torrents/setUploadLimit": async (world) => {
    const { torrentId } = await world.fresh();
    await world.client.torrents.setUploadLimit([torrentId], 10_240);
    await expect
      .poll(async () => await world.client.torrents.uploadLimits([torrentId]))
      .toEqual({
        [torrentId]: 10_240,
      });
  },
  "torrents/setShareLimits": async (world) => {
    const torrent = await world.fresh();
    const hashes = [torrent.torrentId];
    await world.client.torrents.setShareLimits(hashes, { ratio: 1.5, seedingTimeMinutes: 90 });
    await becomes(world, torrent, { ratio_limit: 1.5, seeding_time_limit: 90 });
    await world.client.torrents.setShareLimits(hashes, { ratio: "unlimited" });
    await becomes(world, torrent, { ratio_limit: -1, seeding_time_limit: -2 });
    const inactive = async () =>
      await world.client.torrents.setShareLimits(hashes, { inactiveSeedingTimeMinutes: 5 });
    if (!(await since(world, "2.9.2", inactive))) return;
    await inactive();
    await becomes(world, torrent, { inactive_seeding_time_limit: 5 });
    const action = async () =>
      await world.client.torrents.setShareLimits(hashes, { action: "Stop", mode: "MatchAll" });
    if (!(await since(world, "2.16.0", action))) return;
    await action();
    await becomes(world, torrent, { share_limit_action: "Stop", share_limits_mode: "MatchAll" });
  },
  "torrents/setLocation": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.setLocation([torrent.torrentId], `${world.savePath}/moved`);
    await becomes(world, torrent, { save_path: expect.stringMatching(/\/moved\/?$/) });
  },
  "torrents/setSavePath": async (world) => {
    const torrent = await world.fresh();
    const path = `${world.savePath}/saved`;
    const set = async () => await world.client.torrents.setSavePath([torrent.torrentId], path);
    if (!(await since(world, "2.8.4", set))) return;
    await set();
    await becomes(world, torrent, { save_path: path });
  },
  "torrents/setDownloadPath": async (world) => {
    const torrent = await world.fresh();
    const path = `${world.savePath}/incomplete`;
    const set = async () => await world.client.torrents.setDownloadPath([torrent.torrentId], path);
    if (!(await since(world, "2.8.4", set))) return;
    await set();
    await becomes(world, torrent, { download_path: path });
  },
  "torrents/rename": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.rename(torrent.torrentId, "another name");
    await becomes(world, torrent, { name: "another name" });
    await expect(world.client.torrents.rename(unknown, "x")).rejects.toThrow(QbitNotFoundError);
  },
  "torrents/renameFile": async (world) => {
    const { torrentId, name } = await world.fresh();
    const paths = { oldPath: `${name}/folder/second.bin`, newPath: `${name}/folder/renamed.bin` };
    await world.client.torrents.renameFile(torrentId, paths);
    await expect
      .poll(async () => (await world.client.torrents.files(torrentId)).map((file) => file.name))
      .toEqual([`${name}/first.bin`, paths.newPath]);
    const elsewhere = { oldPath: `${name}/first.bin`, newPath: `${name}/new folder/first.bin` };
    await since(world, "2.8.1", async () => await world.client.torrents.renameFile(torrentId, elsewhere));
  },
  "torrents/renameFolder": async (world) => {
    const { torrentId, name } = await world.fresh();
    const paths = { oldPath: `${name}/folder`, newPath: `${name}/dir` };
    const rename = async () => await world.client.torrents.renameFolder(torrentId, paths);
    if (!(await since(world, "2.8.2", rename))) return;
    await rename();
    await expect
      .poll(async () => (await world.client.torrents.files(torrentId)).map((file) => file.name))
      .toContain(`${name}/dir/second.bin`);
  },
  "torrents/setComment": async (world) => {
    const torrent = await world.fresh();
    const set = async () => await world.client.torrents.setComment([torrent.torrentId], "said later");
    if (!(await since(world, "2.15.1", set))) return;
    await set();
    await becomes(world, torrent, { comment: "said later" });
  },
  "torrents/setAutoManagement": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.setAutoManagement([torrent.torrentId], true);
    await becomes(world, torrent, { auto_tmm: true });
  },
  "torrents/toggleSequentialDownload": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.toggleSequentialDownload([torrent.torrentId]);
    await becomes(world, torrent, { seq_dl: true });
  },
  "torrents/toggleFirstLastPiecePrio": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.toggleFirstLastPiecePrio([torrent.torrentId]);
    await becomes(world, torrent, { f_l_piece_prio: true });
  },
} satisfies Rows;
