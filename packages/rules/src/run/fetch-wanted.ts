import { compareVersions, isTracker, type Torrent } from "@qbit-sidecars/qbit-client";
import type { PartName, Source } from "../language/source.ts";
import { LibraryIndex } from "../plan/library-index.ts";
import type { Row, Subject, World } from "../plan/subject.ts";
import { inParallel } from "./in-parallel.ts";
import type { RulesQbittorrent } from "./seams.ts";
import { soundTorrent } from "./sound-torrent.ts";

/** From this many torrents on one list of them all is cheaper than a call for each. */
const manyTorrents = 20;
const parallelCalls = 6;
/** More hashes than this make a longer request than some proxies take. */
const mostNamed = 500;

/** Fetches what planning found missing: once for a run, in lists where the version has them, else torrent by torrent. */
export class Fetcher {
  readonly #qbittorrent: RulesQbittorrent;
  readonly #webApi: string;
  readonly #world: World;
  readonly #signal: AbortSignal | undefined;
  #urls: ReadonlyMap<string, readonly Row[]> | undefined;

  constructor(
    qbittorrent: RulesQbittorrent,
    options: { webApi: string; world: World; signal?: AbortSignal | undefined },
  ) {
    this.#qbittorrent = qbittorrent;
    this.#webApi = options.webApi;
    this.#world = options.world;
    this.#signal = options.signal;
  }

  async fetch(subjects: readonly Subject[]): Promise<void> {
    const wanting = new Map<Source | "slowMatches", Subject[]>();
    for (const subject of subjects) {
      for (const source of subject.wanted) {
        const others = wanting.get(source);
        if (others === undefined) wanting.set(source, [subject]);
        else others.push(subject);
      }
    }
    for (const [source, wanters] of wanting) await this.#fetchSource(source, wanters);
  }

  /** Where the data of all torrents is: for a job about one of them. */
  async library(): Promise<LibraryIndex> {
    return (this.#world.library ??= (await this.lookAgain([], { atAll: true })).library);
  }

  /** Torrents as they are now, by hash; those that are gone are missing. `atAll`: and where the data of all is. */
  async lookAgain(
    hashes: readonly string[],
    { atAll }: { atAll: boolean },
  ): Promise<{ torrents: ReadonlyMap<string, Torrent>; library: LibraryIndex }> {
    const wanted = new Set(hashes);
    let seen = { torrents: new Map<string, Torrent>(), library: new LibraryIndex() };
    const begin = () => {
      seen = { torrents: new Map(), library: new LibraryIndex() };
      return (listed: Torrent) => {
        const torrent = soundTorrent(listed);
        if (atAll) seen.library.add(torrent);
        if (wanted.has(torrent.hash)) seen.torrents.set(torrent.hash, torrent);
      };
    };
    const isListed = atAll || hashes.length > mostNamed;
    await this.#qbittorrent.each(isListed ? {} : { hashes }, begin, this.#signal);
    return seen;
  }

  async #fetchSource(source: Source | "slowMatches", subjects: Subject[]): Promise<void> {
    const world = this.#world;
    switch (source) {
      case "app":
        world.preferences = await this.#qbittorrent.preferences(this.#signal);
        return;
      case "transfer":
        world.transfer = await this.#qbittorrent.transfer(this.#signal);
        return;
      case "maindata":
        world.freeSpaceBytes = await this.#qbittorrent.freeSpaceBytes(this.#signal);
        return;
      case "library":
        await this.library();
        return;
      case "slowMatches":
        await world.slowMatches?.find();
        return;
      case "trackerUrls":
        return await this.#fetchUrls(subjects);
      case "trackers":
      case "files":
        return await this.#fetchListed(source, subjects);
      case "properties":
      case "webseeds":
      case "peers":
        return await this.#fetchEach(source, subjects);
      case "clock":
      case "list":
    }
  }

  async #fetchUrls(subjects: Subject[]): Promise<void> {
    const hasMap = compareVersions(this.#webApi, "2.8.4") >= 0;
    const hasList = compareVersions(this.#webApi, "2.11.4") >= 0;
    if (subjects.length < manyTorrents || hasList || !hasMap)
      return await this.#fetchListed("trackers", subjects);
    this.#urls ??= byTorrent(await this.#qbittorrent.trackerUrls(this.#signal));
    const unlisted: Subject[] = [];
    for (const subject of subjects) {
      const { hash, trackers_count: count } = subject.actual;
      const urls = this.#urls.get(hash) ?? (count === 0 ? [] : undefined);
      if (urls === undefined) unlisted.push(subject);
      else subject.setPart("trackerUrls", urls);
    }
    // Not in the map does not mean without trackers: it may be too new for it.
    await this.#fetchEach("trackers", unlisted);
  }

  async #fetchListed(part: "trackers" | "files", subjects: Subject[]): Promise<void> {
    const since = part === "trackers" ? "2.11.4" : "2.11.8";
    if (subjects.length < manyTorrents || compareVersions(this.#webApi, since) < 0)
      return await this.#fetchEach(part, subjects);
    const byHash = new Map(subjects.map((subject) => [subject.actual.hash, subject]));
    const include = part === "trackers" ? { includeTrackers: true } : { includeFiles: true };
    const begin = () => (torrent: Torrent) =>
      byHash.get(torrent.hash)?.setPart(part, rowsOf(part, torrent[part] ?? []));
    await this.#qbittorrent.each({ hashes: [...byHash.keys()], ...include }, begin, this.#signal);
    for (const subject of subjects) if (subject.part(part) === undefined) subject.isGone = true;
  }

  async #fetchEach(part: Exclude<PartName, "trackerUrls">, subjects: Subject[]): Promise<void> {
    await inParallel(subjects, parallelCalls, async (subject) => {
      const answer = await this.#qbittorrent.part(part, subject.actual.hash, this.#signal);
      if (answer === "gone") subject.isGone = true;
      else if ("failed" in answer) subject.noteUnfetched(part, answer.failed);
      else subject.setPart(part, rowsOf(part, answer));
    });
  }
}

/** Files with their place, which old versions do not tell; trackers without the rows for DHT, PeX and LSD that qBittorrent lists among the trackers. */
function rowsOf(part: PartName, rows: readonly Row[]): readonly Row[] {
  if (part === "trackers") return rows.filter(({ url }) => isTracker({ url: String(url) }));
  return part === "files" ? rows.map((row, index) => ({ index, ...row })) : rows;
}

function byTorrent(urls: ReadonlyMap<string, readonly string[]>): Map<string, Row[]> {
  const rows = new Map<string, Row[]>();
  for (const [url, hashes] of urls) {
    // Torrents without a tracker are listed under "".
    if (url === "" || !isTracker({ url })) continue;
    for (const hash of hashes) {
      const there = rows.get(hash);
      if (there === undefined) rows.set(hash, [{ url }]);
      else there.push({ url });
    }
  }
  return rows;
}
