import fc from "fast-check";
import { bool, categories, count, farLimits, paths, tags } from "./choices.ts";
import { type Operation, type Params, type Stage, isOld } from "./operation.ts";
import { type PoolName, poolIds, trustedFolder } from "./torrent-pool.ts";

export function additions(stage: Stage): fc.Arbitrary<Operation> {
  const params = fc.record(
    {
      paused: bool,
      stopped: bool,
      skip_checking: fc.constantFrom("false", ""),
      seedMode: fc.constantFrom("false", ""),
      category: categories,
      tags: stage.version.startsWith("5") ? tags : tags.filter((tag) => tag.trim() === tag),
      rename: fc.constantFrom("renamed", ""),
      savepath: paths(stage).filter((path) => !path.startsWith("/proc") && !(isOld(stage) && path === "sub")),
      autoTMM: bool,
      dlLimit: count,
      upLimit: count,
      ratioLimit: farLimits,
      seedingTimeLimit: farLimits,
      sequentialDownload: bool,
      ...(!isOld(stage) && { firstLastPiecePrio: bool }),
      contentLayout: fc.constantFrom("Original", "Subfolder", "NoSubfolder", "Nonsense"),
      root_folder: bool,
    },
    { requiredKeys: [] },
  );
  // One at a time: of several files qBittorrent adds any first.
  const files = fc.oneof(
    { weight: 1, arbitrary: fc.constant<readonly PoolName[]>([]) },
    { weight: 4, arbitrary: fc.constantFrom(...poolNames, "broken" as const).map((name) => [name]) },
  );
  const magnets = [`magnet:?xt=urn:btih:${poolIds().magnet}&dn=magnetic`, poolIds().magnet];
  const links = fc.constantFrom("no link", ...(isOld(stage) ? [] : magnets));
  const random = fc
    .tuple(params, files, fc.option(links, { nil: undefined }))
    .map(([given, chosen, urls]) => addition(urls === undefined ? given : { ...given, urls }, chosen));
  return fc.oneof({ weight: 4, arbitrary: random }, { weight: 1, arbitrary: trustedAdditions(stage) });
}

/**
 * Unchecked, where the files are sure to be: what becomes of a torrent that is started while its files are missing
 * differs from one time to the next in the real program.
 */
function trustedAdditions({ savePath }: Stage): fc.Arbitrary<Operation> {
  const trust = {
    skip_checking: "true",
    seedMode: "true",
    autoTMM: "false",
    savepath: `${savePath}/${trustedFolder}`,
  };
  return fc
    .tuple(fc.constantFrom(...poolNames), bool)
    .map(([name, stopped]) => addition({ ...trust, stopped, paused: stopped }, [name]));
}

export const poolNames = ["single", "folder", "private", "hybrid", "v2"] as const;

export function addition(params: Params, files: readonly PoolName[]): Operation {
  return { kind: "change", name: "torrents/add", params, files };
}
