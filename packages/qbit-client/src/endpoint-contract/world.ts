import { randomUUID } from "node:crypto";
import { type MadeTorrent, makeTorrent } from "@qbit-sidecars/testing";
import { expect } from "vitest";
import type { AddSettings } from "../add-torrents.ts";
import type { Capabilities } from "../capabilities.ts";
import type { QbitClient } from "../client.ts";
import type { EndpointName } from "../endpoints.ts";
import { QbitUnsupportedError } from "../errors.ts";
import { tagsOf } from "../torrent.ts";

/** A server that answers, real or fake, and what a row of the contract needs of it. */
export interface World {
  client: QbitClient;
  capabilities: Capabilities;
  /** A torrent of two files that nobody else touches, added and stopped. */
  fresh(settings?: AddSettings): Promise<MadeTorrent>;
  savePath: string;
}

/** Tests of some rows of the endpoint table, by their names. */
export type Rows = Partial<Record<EndpointName, (world: World) => Promise<void>>>;

/** A hash that no torrent has. */
export const unknown = "0123456789012345678901234567890123456789";

/** Makes a torrent that exists nowhere else. */
export function uniqueTorrent(): MadeTorrent {
  const files = [
    { path: "first.bin", size: 40_000 },
    { path: "folder/second.bin", size: 20_000 },
  ];
  return makeTorrent({ version: "v1", files, name: `t-${randomUUID()}`, seed: randomUUID() });
}

/** Waits until a torrent's tags are these: their order is not defined before 4.6. */
export async function tagsBecome(world: World, torrent: MadeTorrent, tags: string[]): Promise<void> {
  const hashes = [torrent.torrentId];
  const look = async () => (await world.client.torrents.info({ hashes })).flatMap(tagsOf).toSorted();
  await expect.poll(look).toEqual(tags);
}

/** Waits until a torrent's field is as expected: qBittorrent applies most changes after its answer. */
export async function becomes(
  world: World,
  torrent: MadeTorrent,
  fields: Record<string, unknown>,
): Promise<void> {
  const hashes = [torrent.torrentId];
  await expect.poll(async () => (await world.client.torrents.info({ hashes }))[0]).toMatchObject(fields);
}

/** For what an older qBittorrent lacks: the client says so by itself. */
export async function since(world: World, webApi: string, call: () => Promise<unknown>): Promise<boolean> {
  if (world.capabilities.atLeast(webApi)) return true;
  await expect(call()).rejects.toThrow(QbitUnsupportedError);
  return false;
}
