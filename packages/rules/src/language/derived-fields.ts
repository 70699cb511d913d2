import { isUnregistered, isTrackerDown } from "./tracker-verdict.ts";
import type { Field } from "./field.ts";

const dayS = 86_400;

/** Fields that qBittorrent does not have, made of those it has. */
export function derivedFields(): Field[] {
  return [
    {
      name: "info.is_private",
      type: "boolean",
      isList: false,
      source: "list",
      since: "2.11.2",
      needsMetadata: true,
      about: "from a private tracker; the same as `info.private`",
      read: ({ info }) => info.private,
    },
    {
      name: "info.age",
      type: "seconds",
      isList: false,
      source: "list",
      about: "time since it was added",
      read: ({ info, world }) => (info.added_on > 0 ? world.now / 1000 - info.added_on : null),
    },
    {
      name: "info.seeding_days",
      type: "number",
      isList: false,
      source: "list",
      since: "2.8.1",
      about:
        "days spent seeding; of a torrent that nobody asks for, qBittorrent tells it up to an announce late",
      read: ({ info }) => (info.seeding_time === undefined ? undefined : info.seeding_time / dayS),
    },
    {
      name: "info.is_unregistered",
      type: "boolean",
      isList: false,
      source: "trackers",
      about: "a tracker says that it does not know the torrent, and none works",
      read: (subject) => isUnregistered(subject.part("trackers")),
    },
    {
      name: "info.tracker_down",
      type: "boolean",
      isList: false,
      source: "trackers",
      about: "every enabled tracker fails, and none says that it does not know the torrent",
      read: (subject) => isTrackerDown(subject.part("trackers")),
    },
    {
      name: "info.cross_seeds",
      type: "number",
      isList: false,
      source: "library",
      since: "2.6.1",
      needsMetadata: true,
      about: "how many other torrents use the same data (by `content_path`)",
      read: ({ info, world }) => world.library?.sharing(info).length,
    },
    {
      name: "trackers.host",
      type: "text",
      isList: true,
      source: "trackerUrls",
      about: "host names of the trackers",
      read: (subject) =>
        subject.part("trackerUrls")?.flatMap(({ url }) => {
          const host = typeof url === "string" ? URL.parse(url)?.hostname : undefined;
          return host === undefined || host === "" ? [] : [host];
        }),
    },
    {
      name: "files.count",
      type: "number",
      isList: false,
      source: "files",
      needsMetadata: true,
      about: "how many files",
      read: (subject) => subject.part("files")?.length,
    },
    {
      name: "files.ext",
      type: "text",
      isList: true,
      source: "files",
      needsMetadata: true,
      about: "extensions of the files, small letters, without the dot",
      read: (subject) =>
        subject.part("files")?.map(({ name }) => /\.([^./]+)$/.exec(String(name))?.[1]?.toLowerCase() ?? ""),
    },
    {
      name: "disk.free",
      type: "bytes",
      isList: false,
      source: "maindata",
      about: "free space on the disk of the default save path",
      read: ({ world }) => world.freeSpaceBytes ?? undefined,
    },
    {
      name: "time.hour",
      type: "number",
      isList: false,
      source: "clock",
      about: "hour of the day, 0 to 23, in the local time zone",
      read: ({ world }) => new Date(world.now).getHours(),
    },
    {
      name: "time.weekday",
      type: "text",
      isList: false,
      source: "clock",
      about: "monday, tuesday … in the local time zone",
      read: ({ world }) => weekdays[new Date(world.now).getDay()],
    },
  ];
}

const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
