import * as z from "zod/mini";
import type { Answer } from "./answer.ts";
import { BencodeError } from "./bencode.ts";
import type { Caller, CallOptions, Params } from "./call.ts";
import type { Clock } from "./clock.ts";
import { infohashesOfMagnet, infohashesOfTorrent } from "./infohash.ts";
import type { Upload } from "./multipart.ts";
import { tagsParam } from "./torrents-change.ts";

export interface AddTorrents extends AddSettings {
  /** Torrent files' bytes. */
  files?: readonly Uint8Array[];
  /** Magnet links, `http(s)` URLs of torrent files (which qBittorrent fetches by itself), bare infohashes. */
  urls?: readonly string[];
}

/** How to add; what is left out is as qBittorrent's preferences say. */
export interface AddSettings {
  /** Also switches automatic management off, which would ignore it, unless `autoTmm` says otherwise. */
  savePath?: string;
  /** 4.4+. Where incomplete data goes; "" = to the save path as well, whatever the preferences say. */
  downloadPath?: string;
  /** Created when it does not exist. */
  category?: string;
  /** 4.3.2+. */
  tags?: readonly string[];
  stopped?: boolean;
  /** Trust that the data is there and whole, without a check. qBittorrent then shows it as complete. */
  skipChecking?: boolean;
  /** Before 4.3.2 `Subfolder` and `NoSubfolder` stand for "create a root folder" or not. */
  contentLayout?: "Original" | "Subfolder" | "NoSubfolder";
  autoTmm?: boolean;
  /** Name to show. */
  rename?: string;
  /** Bytes per second. */
  uploadLimit?: number;
  downloadLimit?: number;
  /** 4.3.4+. */
  ratioLimit?: number;
  /** 4.3.4+. */
  seedingTimeLimitMinutes?: number;
  /** 4.6+. */
  inactiveSeedingTimeLimitMinutes?: number;
  sequentialDownload?: boolean;
  firstLastPiecePrio?: boolean;
  /** 4.5+. */
  stopCondition?: "None" | "MetadataReceived" | "FilesChecked";
  /** 4.6+. */
  addToTopOfQueue?: boolean;
  /** 5.1+. Forced start. */
  forced?: boolean;
}

/** What became of each torrent. Ids are qBittorrent's: 40 hex digits. */
export interface AddResult {
  added: string[];
  /** There before. (qBittorrent may have merged the trackers, if its preferences say so.) */
  duplicates: string[];
  /** Accepted, nothing to see yet: URLs that qBittorrent is fetching, ids that have not shown up. */
  pending: string[];
  /** `source` is the URL, or `files[0]`. */
  failed: { source: string; reason: string }[];
}

type Source = { source: string; id?: string; upload?: Upload };
type Have = (ids: readonly string[]) => Promise<ReadonlySet<string>>;

/** What qBittorrent said: whether it took anything, and (5.2+) which torrents are added by now. */
type Verdict = { accepted: boolean; ids?: ReadonlySet<string>; reason: string };

/** Before 5.2 "Ok." is said before the torrents are in the list; so long they are waited for. */
const appearWithinMs = 3000;

/**
 * Up to 5.1 the answer is `Ok.` or `Fails.` for all together (4.2 says `Ok.` even to a duplicate), from 5.2 it is
 * counts, or 409 when nothing was added. So infohashes are computed here, and qBittorrent is asked which of them
 * it has, before and (if its answer does not name them) after.
 */
export async function addTorrents(
  caller: Caller,
  request: AddTorrents & { have: Have },
  options: CallOptions,
): Promise<AddResult> {
  const { sources, failed } = readSources(request);
  const result: AddResult = { added: [], duplicates: [], pending: [], failed };
  if (sources.length === 0) return result;
  const ids = sources.flatMap(({ id }) => id ?? []);
  const before = await request.have(ids);
  const params = await paramsOf(caller, request, options);
  const verdict = await send(caller, { params, sources }, options);
  const fresh = ids.filter((id) => !before.has(id));
  const present =
    verdict.ids ??
    (await appeared(fresh, verdict.accepted, {
      have: request.have,
      clock: caller.clock,
      signal: options.signal,
    }));
  for (const { source, id } of sources) {
    if (id !== undefined && before.has(id)) result.duplicates.push(id);
    else if (id !== undefined && present.has(id)) result.added.push(id);
    else if (verdict.accepted) result.pending.push(id ?? source);
    else failed.push({ source, reason: verdict.reason });
  }
  return result;
}

async function send(
  caller: Caller,
  what: { params: Params; sources: readonly Source[] },
  options: CallOptions,
): Promise<Verdict> {
  const urls = what.sources.flatMap(({ source, upload }) => (upload === undefined ? source : [])).join("\n");
  const answer = await caller.call("torrents/add", {
    ...options,
    params: { ...what.params, urls: urls === "" ? undefined : urls },
    uploads: what.sources.flatMap(({ upload }) => upload ?? []),
    accept: [409, 415],
  });
  return verdictOf(answer);
}

function verdictOf(answer: Answer): Verdict {
  const text = answer.text().trim();
  if (answer.status === 409) return { accepted: false, ids: new Set(), reason: "qBittorrent refuses it" };
  if (answer.status === 415) return { accepted: false, reason: text.slice(0, 200) };
  if (!text.startsWith("{")) return { accepted: text === "Ok.", reason: "qBittorrent refuses it" };
  const { added_torrent_ids, pending_count } = answer.json(
    z.looseObject({ added_torrent_ids: z.array(z.string()), pending_count: z.number() }),
  );
  return { accepted: pending_count > 0, ids: new Set(added_torrent_ids), reason: "qBittorrent refuses it" };
}

async function appeared(
  ids: readonly string[],
  accepted: boolean,
  context: { clock: Clock; have: Have; signal?: AbortSignal | undefined },
): Promise<ReadonlySet<string>> {
  const { clock, have, signal } = context;
  const giveUp = clock.monotonic() + appearWithinMs;
  for (let waitMs = 20; ; waitMs *= 2) {
    const present = await have(ids);
    if (!accepted || present.size === ids.length || clock.monotonic() + waitMs > giveUp) return present;
    await clock.sleep(waitMs, signal);
  }
}

/** Sources with their ids, each torrent once, and what can be seen to be wrong without asking. */
function readSources(request: AddTorrents): { sources: Source[]; failed: AddResult["failed"] } {
  const sources = new Map<string, Source>();
  const failed: AddResult["failed"] = [];
  for (const [index, bytes] of (request.files ?? []).entries()) {
    const source = `files[${index}]`;
    const id = idOfFile(bytes);
    // qBittorrent keys uploads by file name: two of the same name would be one.
    const upload = { field: "torrents", fileName: `${index}.torrent`, bytes };
    if (id === undefined) failed.push({ source, reason: "not a torrent file" });
    else if (!sources.has(id)) sources.set(id, { source, id, upload });
  }
  for (const source of request.urls ?? []) {
    const id = infohashesOfMagnet(source)?.id ?? bareHash(source);
    if (/\s/.test(source) || (id === undefined && URL.parse(source) === null))
      failed.push({ source, reason: "not a URL" });
    else if (!sources.has(id ?? source))
      sources.set(id ?? source, { source, ...(id === undefined ? {} : { id }) });
  }
  return { sources: [...sources.values()], failed };
}

function idOfFile(bytes: Uint8Array): string | undefined {
  try {
    return infohashesOfTorrent(bytes).id;
  } catch (error) {
    if (error instanceof BencodeError) return undefined;
    throw error;
  }
}

function bareHash(text: string): string | undefined {
  return infohashesOfMagnet(`magnet:?xt=urn:btih:${text}`)?.id;
}

/** Settings that an older qBittorrent would ignore are refused: a torrent would start, or land, where it should not. */
const settingsSince: Readonly<Partial<Record<keyof AddSettings, string>>> = {
  tags: "2.6.2",
  downloadPath: "2.8.4",
  ratioLimit: "2.8.1",
  seedingTimeLimitMinutes: "2.8.1",
  inactiveSeedingTimeLimitMinutes: "2.9.2",
  stopCondition: "2.8.18",
  addToTopOfQueue: "2.9.2",
  forced: "2.11.4",
};

async function paramsOf(caller: Caller, settings: AddSettings, options: CallOptions): Promise<Params> {
  for (const [setting, webApi] of Object.entries(settingsSince)) {
    if (setting in settings) await caller.need(webApi, `adding torrents with \`${setting}\``, options);
  }
  const { savePath, downloadPath, tags, contentLayout } = settings;
  return {
    savepath: savePath,
    autoTMM: settings.autoTmm ?? (savePath === undefined ? undefined : false),
    downloadPath: downloadPath === "" ? undefined : downloadPath,
    useDownloadPath: downloadPath === undefined ? undefined : downloadPath !== "",
    category: settings.category,
    tags: tags === undefined ? undefined : tagsParam(tags),
    stopped: settings.stopped,
    seedMode: settings.skipChecking,
    contentLayout,
    // Until 4.3.1; later versions look at contentLayout alone.
    root_folder:
      contentLayout === undefined || contentLayout === "Original" ? undefined : contentLayout === "Subfolder",
    rename: settings.rename,
    upLimit: settings.uploadLimit,
    dlLimit: settings.downloadLimit,
    ratioLimit: settings.ratioLimit,
    seedingTimeLimit: settings.seedingTimeLimitMinutes,
    inactiveSeedingTimeLimit: settings.inactiveSeedingTimeLimitMinutes,
    sequentialDownload: settings.sequentialDownload,
    firstLastPiecePrio: settings.firstLastPiecePrio,
    stopCondition: settings.stopCondition,
    addToTopOfQueue: settings.addToTopOfQueue,
    forced: settings.forced,
  };
}
