import type { Rules, RulesText } from "./api.ts";
import { facts, h, replace, table } from "./dom.ts";
import { attempt, type View, type ViewParts } from "./view.ts";
import { badge, when } from "./words.ts";

const linesAround = 2;

/** The rules in force, what they did, and what is wrong with their file. */
export function rulesView({ api, main, tell, signal }: ViewParts): View {
  const show = async (path: string, method: "get" | "post"): Promise<void> => {
    const rules = await (method === "get" ? api.get<Rules>(path, {}, signal) : api.post<Rules>(path));
    const text =
      rules.problems.length > 0 ? (await api.get<RulesText>("api/rules/text", {}, signal)).text : "";
    replace(
      main,
      h("h1", {}, "Rules ", badge(rules.status)),
      h("p", {}, states[rules.status]),
      facts({
        File: h("code", {}, rules.file),
        Version: rules.version ?? undefined,
        Loaded: when(rules.loaded_at),
      }),
      h("button", { id: "reload", type: "button", click: reload }, "Read the file again"),
      ...problems(rules, text),
      ruleTable(rules),
    );
  };
  const reload = () =>
    void attempt(tell, async () => {
      await show("api/rules/reload", "post");
      tell("The file was read.");
    });
  return { title: "Rules", refresh: async () => await show("api/rules", "get") };
}

const states: Readonly<Record<Rules["status"], string>> = {
  ok: "These rules are in force.",
  stale: "The file is wrong now. The rules that stood in it before are still in force.",
  none: "The file is wrong, and there are no rules from before: nothing is run.",
};

function problems({ problems: list, file }: Rules, text: string): HTMLElement[] {
  if (list.length === 0) return [];
  const lines = text.split("\n");
  const items = list.map(({ severity, line, column, rule, message }) =>
    h(
      "li",
      {},
      h("strong", { class: severity === "error" ? "bad" : "wait" }, `${file}:${line}:${column}`),
      ` ${rule === null ? "" : `rule ${JSON.stringify(rule)}: `}${message}`,
      excerpt(lines, line),
    ),
  );
  return [h("h2", {}, "What is wrong"), h("ol", { class: "problems" }, ...items)];
}

/** The line with its neighbours; the text may be another one by now. */
function excerpt(lines: readonly string[], line: number): HTMLElement | string {
  if (lines[line - 1] === undefined) return "";
  const from = Math.max(0, line - 1 - linesAround);
  const shown = lines.slice(from, line + linesAround).map((text, index) => {
    const number = from + index + 1;
    const row = `${String(number).padStart(4)} ${text}\n`;
    return number === line ? h("mark", {}, row) : row;
  });
  return h("pre", {}, ...shown);
}

function ruleTable({ rules }: Rules): HTMLElement {
  return table(
    `${rules.length} rules`,
    [
      ["Rule", ({ name, line }) => h("span", { title: `line ${line}` }, name)],
      ["Contexts", ({ contexts }) => contexts.join(", ") || "without one"],
      ["Does", (rule) => does(rule)],
      ["Hits", ({ hits }) => hits],
      ["Last hit", ({ last_hit: last }) => when(last)],
    ],
    rules,
  );
}

function does({ enabled, actions, destructive, stop_on_match: stops }: Rules["rules"][number]): HTMLElement {
  return h(
    "span",
    {},
    enabled ? "" : badge("disabled"),
    ` ${actions.join(", ")} `,
    destructive ? h("span", { class: "badge bad" }, "deletes") : "",
    stops ? h("span", { class: "badge" }, "stops there") : "",
  );
}
