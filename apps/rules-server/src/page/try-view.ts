import type { Job, JobRow, Rules, TorrentList } from "./api.ts";
import { h, replace } from "./dom.ts";
import { changes } from "./job-view.ts";
import { traceOf } from "./trace.ts";
import { attempt, type View, type ViewParts } from "./view.ts";
import { badge, outcome, shortId } from "./words.ts";

type Torrent = TorrentList["torrents"][number];
const typingMs = 300;

/** Pick a torrent, see what every rule and condition says of it, and what would change. */
export function tryView(parts: ViewParts): View {
  const { api, main, tell, signal } = parts;
  let [picked, job]: [Torrent | undefined, string | undefined] = [undefined, undefined];
  let typing: ReturnType<typeof setTimeout> | undefined;
  const picks = h("ul", { class: "picks", "aria-label": "Torrents" });
  const context = h("select", { id: "context", change: () => void explain() });
  const result = h("div", { role: "region", "aria-live": "polite", "aria-label": "Result" });
  const search = h("input", {
    id: "search",
    type: "search",
    placeholder: "part of its name, or its hash",
    input: () => {
      clearTimeout(typing);
      typing = setTimeout(() => void attempt(tell, look), typingMs);
    },
  });
  main.replaceChildren(
    h("h1", {}, "Try the rules on a torrent"),
    h("p", { class: "soft" }, "Nothing is changed by this."),
    h(
      "form",
      { class: "row", submit: (event) => event.preventDefault() },
      h("label", {}, "Torrent", search),
      h("label", {}, "Context", context),
    ),
    picks,
    result,
  );
  const look = async (): Promise<void> => {
    const { torrents, total } = await api.get<TorrentList>("api/torrents", { search: search.value }, signal);
    replace(picks, ...torrents.map((torrent) => h("li", {}, pickButton(torrent))));
    if (total > torrents.length)
      picks.append(h("li", { class: "soft" }, `and ${total - torrents.length} more: type more of the name`));
    if (total === 0) picks.append(h("li", { class: "soft" }, "No torrent is called so."));
  };
  const pickButton = (torrent: Torrent): HTMLElement => {
    const pick = () => {
      picked = torrent;
      for (const button of picks.querySelectorAll("button"))
        button.setAttribute("aria-pressed", String(button.id === `torrent-${torrent.hash}`));
      void explain();
    };
    const about = [torrent.state, torrent.category, ...torrent.tags].filter(Boolean).join(", ");
    const props = { id: `torrent-${torrent.hash}`, type: "button", "aria-pressed": false, click: pick };
    return h(
      "button",
      { ...props, "aria-pressed": String(picked?.hash === torrent.hash) },
      torrent.name,
      " ",
      h("span", { class: "soft" }, about),
    );
  };
  const explain = async (): Promise<void> =>
    await attempt(tell, async () => {
      if (picked === undefined) return;
      result.replaceChildren(h("p", {}, "The rules are asked …"));
      const wish = { context: context.value, hash: picked.hash, dry_run: true, trace: true, delay: 0 };
      ({ job_id: job } = await api.post<JobRow>("api/execute", wish));
      await refresh();
    });
  const refresh = async (): Promise<void> => {
    if (job === undefined) return;
    const answer = await api.get<Job>(`api/jobs/${job}`, {}, signal);
    if (answer.job_id === job) replace(result, ...shown(answer));
  };
  void attempt(tell, async () => {
    const { rules } = await api.get<Rules>("api/rules", {}, signal);
    const contexts = ["", ...new Set(rules.flatMap((rule) => rule.contexts))];
    context.replaceChildren(...contexts.map((value) => h("option", { value }, value || "without one")));
    await look();
  });
  return { title: "Try", refresh };
}

function shown(job: Job): HTMLElement[] {
  const { details, status } = job;
  const link = h("a", { href: `#/jobs/${job.job_id}` }, `job ${shortId(job.job_id)}`);
  const head = h("p", {}, badge(status), " ", outcome(job), " ", link);
  if (status !== "completed" || details === null) return [head];
  return [
    head,
    h("h2", {}, "What would change"),
    details.entries.length > 0 ? changes(details.entries) : h("p", {}, "Nothing."),
    h("h2", {}, "Every rule and condition"),
    traceOf(details.trace ?? []),
  ];
}
