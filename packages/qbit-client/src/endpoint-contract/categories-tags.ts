import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { QbitConflictError } from "../errors.ts";
import { becomes, tagsBecome, type Rows } from "./world.ts";

/** What sorts torrents. */
export const sortingRows = {
  "torrents/setCategory": async (world) => {
    const torrent = await world.fresh();
    const hashes = [torrent.torrentId];
    await expect(world.client.torrents.setCategory(hashes, "no such category")).rejects.toThrow(
      QbitConflictError,
    );
    const name = randomUUID();
    await world.client.torrents.createCategory({ name });
    await world.client.torrents.setCategory(hashes, name);
    await becomes(world, torrent, { category: name });
    await world.client.torrents.setCategory(hashes, "");
    await becomes(world, torrent, { category: "" });
  },
  "torrents/categories": async ({ client }) => {
    const name = randomUUID();
    await client.torrents.createCategory({ name });
    expect((await client.torrents.categories())[name]).toMatchObject({ name, savePath: "" });
  },
  "torrents/createCategory": async ({ client }) => {
    const name = randomUUID();
    await client.torrents.createCategory({ name, savePath: "/tmp/somewhere" });
    expect((await client.torrents.categories())[name]).toMatchObject({ savePath: "/tmp/somewhere" });
    await expect(client.torrents.createCategory({ name })).rejects.toThrow(QbitConflictError);
  },
  "torrents/editCategory": async ({ client }) => {
    const name = randomUUID();
    await client.torrents.createCategory({ name });
    await client.torrents.editCategory({ name, savePath: "/tmp/elsewhere" });
    expect((await client.torrents.categories())[name]).toMatchObject({ savePath: "/tmp/elsewhere" });
  },
  "torrents/removeCategories": async ({ client }) => {
    const names = [randomUUID(), randomUUID()];
    for (const name of names) await client.torrents.createCategory({ name });
    await client.torrents.removeCategories(names);
    expect(Object.keys(await client.torrents.categories())).not.toEqual(expect.arrayContaining(names));
  },
  "torrents/tags": async ({ client }) => {
    expect(await client.torrents.tags()).toBeInstanceOf(Array);
  },
  "torrents/createTags": async ({ client }) => {
    const tags = [randomUUID(), `with space ${randomUUID()}`];
    await client.torrents.createTags(tags);
    expect(await client.torrents.tags()).toEqual(expect.arrayContaining(tags));
  },
  "torrents/deleteTags": async ({ client }) => {
    const tags = [randomUUID(), randomUUID()];
    await client.torrents.createTags(tags);
    await client.torrents.deleteTags(tags);
    expect(await client.torrents.tags()).not.toEqual(expect.arrayContaining(tags));
  },
  "torrents/addTags": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.addTags([torrent.torrentId], ["b", "a"]);
    await tagsBecome(world, torrent, ["a", "b"]);
  },
  "torrents/removeTags": async (world) => {
    const torrent = await world.fresh();
    const hashes = [torrent.torrentId];
    await world.client.torrents.addTags(hashes, ["a", "b", "c"]);
    await world.client.torrents.removeTags(hashes, []);
    await world.client.torrents.removeTags(hashes, ["b"]);
    await tagsBecome(world, torrent, ["a", "c"]);
    await world.client.torrents.removeAllTags(hashes);
    await tagsBecome(world, torrent, []);
  },
  "torrents/setTags": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.addTags([torrent.torrentId], ["a", "b"]);
    await world.client.torrents.setTags([torrent.torrentId], ["b", "c"]);
    await tagsBecome(world, torrent, ["b", "c"]);
    await world.client.torrents.setTags([torrent.torrentId], []);
    await tagsBecome(world, torrent, []);
  },
} satisfies Rows;
