import type { FilePriority } from "@qbit-sidecars/qbit-client";
import type { Subject } from "../plan/subject.ts";
import type { Params } from "../compile/params.ts";
import type { Action, Outcome } from "./action.ts";

/** Where it is, what it is called, what is inside. */
export function placeActions(): Action[] {
  return [
    {
      name: "set_location",
      aliases: ["move"],
      about: "moves its data; switches automatic management off",
      params: [{ name: "path", kind: "template", required: true, about: "folder; `${info.…}` is put in" }],
      example: { path: "/data/${info.category}" },
      plan: (params, subject, rule) => {
        const path = params.template("path").render(subject, { rule, asPath: true });
        if (path.trim() === "") return { skip: "the path is empty" };
        if (bare(subject.info.save_path) === bare(path)) return { skip: `it is in ${path}` };
        return {
          operation: { kind: "setLocation", path },
          before: subject.info.save_path,
          after: path,
          change: { save_path: path, auto_tmm: false },
        };
      },
    },
    {
      name: "rename",
      about: "changes the name that is shown",
      params: [{ name: "name", kind: "template", required: true, about: "name; `${info.…}` is put in" }],
      example: { name: "[${info.category}] ${info.name}" },
      plan: (params, subject, rule) => {
        const name = params.template("name").render(subject, { rule }).trim();
        if (name === "" || name === subject.info.name) return { skip: "it has this name" };
        return {
          operation: { kind: "rename", name },
          before: subject.info.name,
          after: name,
          change: { name },
        };
      },
    },
    {
      name: "add_trackers",
      about: "adds trackers",
      params: [{ name: "urls", alias: "url", kind: "texts", required: true, about: "announce URLs" }],
      needs: ["trackerUrls"],
      example: { urls: ["udp://tracker.example.org:1337/announce"] },
      plan: (params, subject) => {
        const urls = urlsOf(subject);
        const missing = params.texts("urls").filter((url) => !urls.includes(url));
        if (missing.length === 0) return { skip: "it has these trackers" };
        return trackers("addTrackers", subject, { urls: missing, after: [...urls, ...missing] });
      },
    },
    {
      name: "remove_trackers",
      about: "removes trackers",
      params: [{ name: "urls", alias: "url", kind: "texts", required: true, about: "announce URLs" }],
      since: "2.2.0",
      needs: ["trackerUrls"],
      example: { urls: ["http://dead.example.org/announce"] },
      plan: (params, subject) => {
        const urls = urlsOf(subject);
        const there = params.texts("urls").filter((url) => urls.includes(url));
        if (there.length === 0) return { skip: "it has none of these trackers" };
        return trackers("removeTrackers", subject, {
          urls: there,
          after: urls.filter((url) => !there.includes(url)),
        });
      },
    },
    {
      name: "set_file_priority",
      about: "sets the priority of the files whose path the pattern is found in",
      params: [
        {
          name: "matching",
          kind: "pattern",
          required: true,
          about: "pattern, as for the operator `matches`",
        },
        {
          name: "priority",
          kind: "filePriority",
          about: "skip, normal, high, maximum (or 0, 1, 6, 7)",
          default: "skip",
        },
      ],
      needs: ["files"],
      example: { matching: "(?i)\\bsample\\b", priority: "skip" },
      plan: filePriority,
    },
    {
      name: "export",
      about: "saves its .torrent file",
      params: [
        { name: "folder", kind: "text", required: true, about: "folder on the machine that runs the rules" },
      ],
      since: "2.8.18",
      event: true,
      example: { folder: "/backup/torrents" },
      plan: (params) => {
        const folder = params.text("folder");
        return { operation: { kind: "export", folder }, before: null, after: folder };
      },
    },
  ];
}

function bare(path: string): string {
  return path.replaceAll("\\", "/").replace(/\/+$/, "");
}

function urlsOf(subject: Subject): string[] {
  return (subject.part("trackerUrls") ?? []).map(({ url }) => String(url));
}

function trackers(
  kind: "addTrackers" | "removeTrackers",
  subject: Subject,
  { urls, after }: { urls: string[]; after: string[] },
): Outcome {
  const rows = (name: "trackers" | "trackerUrls") => {
    const present = subject.part(name) ?? [];
    return after.map(
      (url) => present.find((row) => row["url"] === url) ?? { url, status: 1, msg: "", tier: 0 },
    );
  };
  return {
    operation: { kind, urls },
    before: urlsOf(subject),
    after,
    parts: {
      trackerUrls: rows("trackerUrls"),
      ...(subject.part("trackers") !== undefined && { trackers: rows("trackers") }),
    },
  };
}

function filePriority(params: Params, subject: Subject): Outcome {
  const files = subject.part("files") ?? [];
  const wanted = params.filePriority("priority");
  const chosen = files.filter(({ name }) => params.pattern("matching")(String(name)));
  const others = chosen.filter(({ priority }) => normal(priority) !== wanted);
  if (others.length === 0) return { skip: "no such file with another priority" };
  const indexes = others.map(({ index }) => Number(index));
  return {
    operation: { kind: "filePriority", indexes, priority: wanted },
    before: others.map(({ name, priority }) => `${String(name)}: ${String(priority)}`),
    after: wanted,
    parts: { files: files.map((file) => (others.includes(file) ? { ...file, priority: wanted } : file)) },
  };
}

/** 4.2 shows 4 for "normal" until it is set. */
function normal(priority: unknown): FilePriority | undefined {
  return priority === 4 || priority === 1
    ? 1
    : priority === 0 || priority === 6 || priority === 7
      ? priority
      : undefined;
}
