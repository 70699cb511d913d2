import type { Download } from "./download.ts";
import type { DownloadEvent } from "./follow-downloads.ts";
import type { Notice } from "./outbox.ts";
import { isQuiet, type QuietHours } from "./quiet-hours.ts";
import { fill } from "./templates.ts";
import type { Route } from "./topics.ts";

/** What the user wants to be told, and how. */
export type NoticePolicy = {
  topic: string;
  routes: readonly Route[];
  /** "" or what stands before the torrent's id in each sequence id. */
  instance: string;
  tell: Readonly<Record<"complete" | "added" | "stalled" | "error" | "removed", boolean>>;
  priorities: Readonly<Record<"progress" | "complete" | "alert" | "info", number>>;
  quietHours: QuietHours | undefined;
  categories: readonly string[];
  categoriesExcluded: readonly string[];
  tags: readonly string[];
  tagsExcluded: readonly string[];
  texts: Readonly<Record<"titleProgress" | "messageProgress" | "titleComplete" | "messageComplete", string>>;
  click: string | undefined;
  /** More than this many notices of one kind at once become one. */
  burstLimit: number;
};

export const defaultTexts = {
  titleProgress: "{name}",
  messageProgress: "{percent} {bar}\nSpeed: {speed}\nETA: {eta}",
  titleComplete: "Download Complete",
  messageComplete: "{name} has finished downloading.",
} as const;

/** A burst begins with more than the limit within this time, however many looks see it. */
const burstWindowMs = 60_000;

/** It goes on while its next part comes within this time, and stays one card. */
const burstGapMs = 120_000;

const namesInSummary = 10;

type AlertKind = "added" | "stalled" | "error" | "removed";

type Burst = { count: number; names: string[]; sequence: string; lastMs: number };

/** Told one by one within the last minute. */
type Recent = { name: string; atMs: number };

/** Turns what happened into what is sent. It remembers running bursts; all else is in the events. */
export class NoticePlanner {
  readonly #policy: NoticePolicy;
  readonly #bursts = new Map<AlertKind, Burst>();
  readonly #recent = new Map<AlertKind, Recent[]>();

  constructor(policy: NoticePolicy) {
    this.#policy = policy;
  }

  /** @param inPlace whether the server knows sequence ids: without, no card can be taken away */
  plan(events: readonly DownloadEvent[], { nowMs, inPlace }: { nowMs: number; inPlace: boolean }): Notice[] {
    const wanted = events.filter(
      ({ kind, download }) => kind === "left" || this.topicOf(download) !== undefined,
    );
    const bursting = (["added", "stalled", "error", "removed"] as const).filter((kind) =>
      this.#isBurst(
        kind,
        wanted.filter((event) => event.kind === kind),
        nowMs,
      ),
    );
    const single = wanted.filter(({ kind }) => !bursting.some((burst) => burst === kind));
    const summaries = bursting.map((kind) => this.#summary(kind, wanted, nowMs));
    const cleared = wanted.filter((event) => "carded" in event && event.carded && event.kind !== "completed");
    const notices = [
      ...single.flatMap((event) => this.#notices(event, nowMs)),
      ...summaries,
      ...cleared.map(({ download }) => this.#clear(download, "")),
    ];
    return inPlace ? notices : notices.filter(({ kind }) => kind !== "clear");
  }

  /** Where a torrent is told of; undefined where it is not wanted. */
  topicOf(download: Download): string | undefined {
    return isWanted(this.#policy, download) ? this.#topic(download) : undefined;
  }

  /** The disk's own notice: it has no torrent. */
  disk(freeBytes: number | undefined, text: string, nowMs: number): Notice {
    const sequence = this.#sequence("disk", "");
    const { topic } = this.#policy;
    if (freeBytes === undefined) return { kind: "clear", topic, sequence };
    const priority = this.#priority("alert", nowMs);
    return {
      kind: "disk",
      topic,
      sequence,
      title: "Disk almost full",
      message: text,
      tags: ["floppy_disk"],
      priority,
    };
  }

  #notices(event: DownloadEvent, nowMs: number): Notice[] {
    const { download, kind } = event;
    const { tell, texts } = this.#policy;
    if (kind === "progress") {
      const text = {
        title: fill(texts.titleProgress, download),
        message: fill(texts.messageProgress, download),
      };
      return [this.#publish("progress", download, { ...text, tags: ["arrow_down"], nowMs })];
    }
    if (kind === "completed") {
      const text = {
        title: fill(texts.titleComplete, download),
        message: fill(texts.messageComplete, download),
      };
      const done = this.#publish("complete", download, { ...text, tags: ["white_check_mark"], nowMs });
      return [...(tell.complete ? [done] : []), ...(event.carded ? [this.#clear(download, "")] : [])];
    }
    if (kind === "dropped") return [];
    if (kind === "left") {
      return event.cards.map((card) => ({
        ...this.#clear(download, suffixes[card]),
        topic: event.topic,
      }));
    }
    const over = kind === "moving-again" ? "stalled" : kind === "recovered" ? "error" : undefined;
    if (over !== undefined) return tell[over] ? [this.#clear(download, suffixes[over])] : [];
    if (kind === "moving-again" || kind === "recovered" || !tell[kind]) return [];
    const title = kind === "error" && download.state === "missingFiles" ? "Files are missing" : titles[kind];
    return [this.#publish(kind, download, { title, message: download.name, tags: [icons[kind]], nowMs })];
  }

  #publish(
    kind: "progress" | "complete" | AlertKind,
    download: Download,
    { nowMs, ...text }: { title: string; message: string; tags: readonly string[]; nowMs: number },
  ): Notice {
    const suffix = kind === "progress" ? "" : kind === "complete" ? "-done" : `-${kind}`;
    return {
      kind,
      topic: this.#topic(download),
      sequence: this.#sequence(download.id, suffix),
      ...text,
      priority: this.#priority(priorityFor[kind], nowMs),
      ...this.#click(download),
    };
  }

  #isBurst(kind: AlertKind, events: readonly DownloadEvent[], nowMs: number): boolean {
    if (events.length === 0 || !this.#policy.tell[kind]) return false;
    if (this.#running(kind, nowMs) !== undefined) return true;
    const before = (this.#recent.get(kind) ?? []).filter(({ atMs }) => nowMs - atMs <= burstWindowMs);
    const recent = [...before, ...events.map(({ download }) => ({ name: download.name, atMs: nowMs }))];
    this.#recent.set(kind, recent);
    return recent.length > this.#policy.burstLimit;
  }

  #running(kind: AlertKind, nowMs: number): Burst | undefined {
    const burst = this.#bursts.get(kind);
    return burst !== undefined && nowMs - burst.lastMs <= burstGapMs ? burst : undefined;
  }

  #summary(kind: AlertKind, events: readonly DownloadEvent[], nowMs: number): Notice {
    const running = this.#running(kind, nowMs);
    const now = events.filter((event) => event.kind === kind).map(({ download }) => download.name);
    // What was told one by one before it was a burst counts as well.
    const names = running === undefined ? (this.#recent.get(kind) ?? []).map(({ name }) => name) : now;
    this.#recent.delete(kind);
    const count = (running?.count ?? 0) + names.length;
    const shown = [...(running?.names ?? []), ...names].slice(0, namesInSummary);
    const sequence = running?.sequence ?? this.#sequence(`${kind}-${nowMs.toString(36)}`, "");
    this.#bursts.set(kind, { count, names: shown, sequence, lastMs: nowMs });
    const more = count > shown.length ? [`and ${count - shown.length} more`] : [];
    return {
      kind,
      topic: this.#policy.topic,
      sequence,
      title: `${count} torrents ${summaryWords[kind]}`,
      message: [...shown, ...more].join("\n"),
      tags: [icons[kind]],
      priority: this.#priority(priorityFor[kind], nowMs),
    };
  }

  #clear(download: Download, suffix: string): Notice {
    return { kind: "clear", topic: this.#topic(download), sequence: this.#sequence(download.id, suffix) };
  }

  #sequence(subject: string, suffix: string): string {
    const { instance } = this.#policy;
    return `qbit-${instance === "" ? "" : `${instance}-`}${subject}${suffix}`;
  }

  #topic(download: Download): string {
    const matches = ({ by, value }: Route) =>
      by === "tag" ? download.tags.includes(value) : download.category === value;
    return this.#policy.routes.find(matches)?.topic ?? this.#policy.topic;
  }

  /** Quiet hours take the sound and nothing else. */
  #priority(what: keyof NoticePolicy["priorities"], nowMs: number): number {
    const priority = this.#policy.priorities[what];
    return isQuiet(this.#policy.quietHours, nowMs) ? Math.min(priority, 2) : priority;
  }

  #click(download: Download): { click?: string } {
    const { click } = this.#policy;
    return click === undefined ? {} : { click: fill(click, download, encodeURIComponent) };
  }
}

const titles = {
  added: "Torrent added",
  removed: "Torrent removed",
  stalled: "Download stalled",
  error: "Download error",
} as const;

const summaryWords = { added: "added", removed: "removed", stalled: "stalled", error: "in trouble" } as const;

/** Short codes that ntfy's clients show as an emoji. */
const icons = {
  added: "inbox_tray",
  removed: "wastebasket",
  stalled: "hourglass_flowing_sand",
  error: "warning",
} as const;

const suffixes = { progress: "", error: "-error", stalled: "-stalled" } as const;

const priorityFor = {
  progress: "progress",
  complete: "complete",
  added: "info",
  removed: "info",
  stalled: "alert",
  error: "alert",
} as const;

function isWanted(policy: NoticePolicy, { category, tags }: Download): boolean {
  const { categories, categoriesExcluded, tags: wantedTags, tagsExcluded } = policy;
  if (categories.length > 0 && !categories.includes(category)) return false;
  if (categoriesExcluded.includes(category)) return false;
  if (wantedTags.length > 0 && !tags.some((tag) => wantedTags.includes(tag))) return false;
  return !tags.some((tag) => tagsExcluded.includes(tag));
}
