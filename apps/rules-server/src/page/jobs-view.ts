import type { JobList, JobRow, Rules, Stats } from "./api.ts";
import { h, replace, table, typed } from "./dom.ts";
import { attempt, type View, type ViewParts } from "./view.ts";
import { badge, duration, outcome, subject, when } from "./words.ts";

const pageSize = 25;
const statuses = ["", "pending", "processing", "completed", "failed", "cancelled"];

/** All jobs, live, and a form that asks for one. */
export function jobsView(parts: ViewParts): View {
  const { api, main, tell } = parts;
  let [status, offset] = ["", 0];
  const list = h("div");
  const counts = h("p", { class: "soft" });
  const form = h("section", { class: "card" });

  const refresh = async (): Promise<void> => {
    const page = { status, limit: pageSize, offset };
    const [stats, jobs] = await Promise.all([
      api.get<Stats>("api/stats"),
      api.get<JobList>("api/jobs", page, parts.signal),
    ]);
    counts.textContent = summary(stats);
    replace(list, jobTable(jobs), pager(jobs));
  };
  const choose = h(
    "select",
    {
      id: "status",
      change: () => {
        status = choose.value;
        offset = 0;
        void attempt(tell, refresh);
      },
    },
    ...statuses.map((value) => h("option", { value }, value || "all")),
  );
  replace(
    main,
    h("h1", {}, "Jobs"),
    form,
    h("div", { class: "row" }, h("label", {}, "Show", choose), counts),
    list,
  );
  const pager = ({ total }: JobList): HTMLElement => {
    const turn = (by: number) => () => {
      offset += by;
      void attempt(tell, refresh);
    };
    const button = (id: string, by: number, isOff: boolean) =>
      h("button", { id, type: "button", class: "quiet", disabled: isOff, click: turn(by) }, id);
    const last = Math.min(offset + pageSize, total);
    return h(
      "p",
      {},
      button("newer", -pageSize, offset === 0),
      ` ${total === 0 ? 0 : offset + 1}–${last} of ${total} `,
      button("older", pageSize, last >= total),
    );
  };
  const jobTable = ({ jobs }: JobList): HTMLElement =>
    table<JobRow>(
      "Newest first",
      [
        ["Status", (job) => badge(job.status)],
        [
          "Asked",
          (job) => h("a", { id: `job-${job.job_id}`, href: `#/jobs/${job.job_id}` }, when(job.created_at)),
        ],
        ["For", (job) => `${subject(job)}${job.dry_run ? " (dry run)" : ""}`],
        ["Came to", outcome],
        ["Took", duration],
        ["", (job) => cancelButton(job)],
      ],
      jobs,
    );
  const cancelButton = (job: JobRow): HTMLElement | string => {
    if (job.status !== "pending") return "";
    const cancel = () =>
      void attempt(tell, async () => {
        await api.delete(`api/jobs/${job.job_id}`);
        await refresh();
      });
    return h(
      "button",
      { id: `cancel-${job.job_id}`, type: "button", class: "quiet", click: cancel },
      "Cancel",
    );
  };
  void attempt(tell, async () => {
    const { rules } = await api.get<Rules>("api/rules");
    form.replaceChildren(runForm(parts, [...new Set(rules.flatMap(({ contexts }) => contexts))]));
  });
  return { title: "Jobs", refresh };
}

function summary({ jobs, performance, worker }: Stats): string {
  const mean = performance.average_execution_time;
  return [
    `${jobs.pending} pending, ${jobs.processing} running, ${jobs.completed} completed, ${jobs.failed} failed.`,
    ...(mean === null ? [] : [`A run takes ${mean} on average.`]),
    ...(worker.status === "running" ? [] : ["No worker is running."]),
  ].join(" ");
}

function runForm({ api, tell }: ViewParts, contexts: readonly string[]): HTMLElement {
  const form = h(
    "form",
    { class: "row", submit, "aria-label": "Run the rules" },
    h(
      "label",
      {},
      "Context",
      h("input", { name: "context", list: "contexts", placeholder: "without one" }),
      h("datalist", { id: "contexts" }, ...contexts.map((value) => h("option", { value }))),
    ),
    h(
      "label",
      {},
      "Torrent",
      h("input", {
        name: "hash",
        placeholder: "all",
        pattern: "\\s*[0-9a-fA-F]{1,64}\\s*",
        title: "an infohash",
      }),
    ),
    h("label", { class: "check" }, h("input", { name: "dry", type: "checkbox", checked: true }), "Dry run"),
    h("button", {}, "Run the rules"),
  );
  return form;

  function submit(event: Event): void {
    event.preventDefault();
    void attempt(tell, async () => {
      const { job_id: id } = await api.post<JobRow>("api/execute", {
        context: typed(form, "context"),
        hash: typed(form, "hash"),
        dry_run: typed(form, "dry") !== "",
        delay: 0,
      });
      location.hash = `#/jobs/${id}`;
    });
  }
}
