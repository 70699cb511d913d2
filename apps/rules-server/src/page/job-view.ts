import type { Details, Entry, Job, JobRow } from "./api.ts";
import { facts, h, replace, table } from "./dom.ts";
import { traceOf } from "./trace.ts";
import { attempt, type View, type ViewParts } from "./view.ts";
import { badge, difference, duration, outcome, shortId, subject, when } from "./words.ts";

/** One job: what was asked, what it planned, what it did and why. */
export function jobView({ api, main, tell, signal }: ViewParts, id: string): View {
  const refresh = async (): Promise<void> => {
    const job = await api.get<Job>(`api/jobs/${encodeURIComponent(id)}`, {}, signal);
    replace(
      main,
      h("h1", {}, `Job ${shortId(id)} `, badge(job.status)),
      factsOf(job),
      ...(job.error === null ? [] : [h("pre", {}, job.error)]),
      actions(job),
      ...(job.details === null ? [nothing(job)] : sections(job.details)),
    );
  };
  const again = (job: Job, isDry: boolean) => () => {
    if (!isDry && !confirm(`Run the rules for ${subject(job)}, and change what they say?`)) return;
    void attempt(tell, async () => {
      const { job_id: next } = await api.post<JobRow>("api/execute", {
        context: job.context ?? undefined,
        hash: job.hash ?? undefined,
        dry_run: isDry,
        trace: job.trace,
        delay: 0,
      });
      location.hash = `#/jobs/${next}`;
    });
  };
  const cancel = () =>
    void attempt(tell, async () => {
      await api.delete(`api/jobs/${id}`);
      await refresh();
    });
  const actions = (job: Job): HTMLElement => {
    const isOver = job.status !== "pending" && job.status !== "processing";
    const isPlan = job.status === "completed" && job.dry_run && (job.details?.entries.length ?? 0) > 0;
    return h(
      "p",
      {},
      job.status === "pending" && h("button", { id: "cancel", type: "button", click: cancel }, "Cancel"),
      isPlan &&
        h("button", { id: "real", class: "grave", type: "button", click: again(job, false) }, "Do it"),
      " ",
      isOver &&
        h("button", { id: "again", class: "quiet", type: "button", click: again(job, true) }, "Dry run"),
    );
  };
  return { title: `Job ${shortId(id)}`, refresh };
}

function factsOf(job: Job): HTMLElement {
  return facts({
    For: subject(job),
    Kind: job.dry_run ? "dry run: nothing is changed" : undefined,
    Torrent: job.hash === null ? undefined : h("code", {}, job.hash),
    Asked: when(job.created_at),
    Started: when(job.started_at),
    Took: duration(job),
    "Came to": outcome(job),
    "Comes back": job.waits_until === null ? undefined : when(job.waits_until),
    Attempts: job.attempts > 1 ? job.attempts : undefined,
  });
}

function nothing({ status }: Job): HTMLElement {
  return h("p", { class: "soft" }, status === "completed" ? "There was nothing to do." : "");
}

function sections(details: Details): HTMLElement[] {
  const { entries, entries_left_out: leftOut = 0, held, not_ready: notReady, failed, unsupported } = details;
  const found = [
    ["Changes", entries.length > 0 && changes(entries, leftOut)],
    [
      "Kept from being deleted",
      held.length > 0 &&
        table(
          "Guards that held them",
          [
            ["Torrent", ({ name }) => name],
            ["Rule", ({ rule }) => rule],
            ["Because", ({ reason }) => reason],
          ],
          held,
        ),
    ],
    [
      "Not ready yet",
      notReady.length > 0 &&
        table(
          "Looked at again when there is more to know",
          [
            ["Torrent", ({ name, hash }) => name ?? hash],
            ["Because", ({ reasons }) => reasons.join("; ")],
          ],
          notReady,
        ),
    ],
    [
      "Could not be answered",
      failed.length > 0 &&
        table(
          "Conditions without an answer",
          [
            ["Torrent", ({ name }) => name],
            ["Because", ({ reason }) => reason],
          ],
          failed,
        ),
    ],
    [
      "Rules left out",
      unsupported.length > 0 &&
        table(
          "What this qBittorrent cannot do",
          [
            ["Rule", ({ rule }) => rule],
            ["Because", ({ reason }) => reason],
          ],
          unsupported,
        ),
    ],
    ["Every condition", details.trace !== undefined && traceOf(details.trace)],
  ] as const;
  return found.flatMap(([title, part]) => {
    return part === false ? [] : [h("section", {}, h("h2", {}, title), part)];
  });
}

export function changes(entries: readonly Entry[], leftOut = 0): HTMLElement {
  const caption =
    leftOut > 0 ? `${entries.length} of ${entries.length + leftOut}` : `${entries.length} in all`;
  return table<Entry>(
    caption,
    [
      ["Torrent", ({ name, hash }) => h("span", { title: hash }, name)],
      ["Change", ({ action, before, after }) => h("span", {}, `${action}: `, difference(before, after))],
      ["Rule", ({ rule }) => rule],
      ["Because", ({ because }) => because.join("; ")],
      [
        "",
        ({ result, error }) =>
          h("span", { title: error }, badge(result), error === undefined ? "" : ` ${error}`),
      ],
    ],
    entries,
  );
}
