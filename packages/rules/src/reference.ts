import { safetyKeys } from "./compile/safety.ts";
import type { Action } from "./language/action.ts";
import { actionTable } from "./language/actions.ts";
import { type Field } from "./language/field.ts";
import { sourceCalls } from "./language/source.ts";
import { fieldTable } from "./language/fields.ts";
import type { Operator } from "./language/operator.ts";
import { operatorTable } from "./language/operators.ts";

/** The tables of the language reference, in Markdown, from the tables the compiler uses. */
export function fieldsReference(): string {
  const namespaces = Map.groupBy(fieldTable().values(), ({ name }) => name.slice(0, name.indexOf(".")));
  return [...namespaces]
    .map(([namespace, fields]) => `### ${namespace}\n\n${fieldRows(namespace, fields)}`)
    .join("\n\n");
}

function fieldRows(namespace: string, fields: readonly Field[]): string {
  if (namespace === "app") {
    const names = (type: string) =>
      fields
        .filter((field) => field.type === type)
        .map(({ name }) => `\`${name}\``)
        .join(" ");
    return `Every preference of qBittorrent but its passwords; ${sourceCalls.app}. What this version does not have is unknown.\n\nTrue or false: ${names("boolean")}\n\nNumbers: ${names("number")}\n\nTexts: ${names("text")}`;
  }
  return table(
    ["field", "type", "what it is", "Web API", "call", "example"],
    fields.map((field) => [
      `\`${field.name}\``,
      `${field.type}${field.isList ? ", list" : ""}`,
      field.about,
      field.since === undefined ? "" : `${field.since}+`,
      field.inList === undefined
        ? sourceCalls[field.source]
        : `none where \`torrents/info\` has \`${field.inList}\`; else ${sourceCalls[field.source]}`,
      `\`${exampleOf(field)}\``,
    ]),
  );
}

const examples: Readonly<Record<Field["type"], string>> = {
  text: 'contains, value: "x"',
  hash: "==, value: 0123abcd…",
  state: "in, value: [stoppedUP, stalledUP]",
  number: ">=, value: 2",
  bytes: 'larger_than, value: "4 GiB"',
  seconds: '">", value: "7 days"',
  time: 'older_than, value: "30 days"',
  boolean: "==, value: true",
};

/** The rest of a condition on the field: `{field: …, operator: <this>}`. */
function exampleOf({ type }: Field): string {
  return `operator: ${examples[type]}`;
}

export function operatorsReference(): string {
  const rows = [...operatorTable().values()].map((operator) => [
    `\`${operator.name}\``,
    operator.about,
    operator.types.length === 8 ? "all" : operator.types.join(", "),
    valueWords[operator.value],
    operator.value === "switch" ? "says so" : operator.negative ? "holds" : "does not hold",
    operator.negative ? "every item" : "any item",
  ]);
  return table(
    ["operator", "holds when the value", "field types", "takes", "without a value it", "in a list, of"],
    rows,
  );
}

const valueWords: Readonly<Record<Operator["value"], string>> = {
  scalar: "a value of the field's type",
  list: "a list of such values",
  text: "a text, or a list of texts of which any will do",
  pattern: "a pattern in Python's syntax",
  number: "a number; sizes and durations also with a unit",
  range: "two numbers",
  duration: "`30 days`, `7d`, `2h30m`, `1.5 weeks`, or seconds",
  size: "`700 MB`, `4.5 GiB`, or bytes; a small `b` is bits",
  switch: "nothing, or true or false",
};

export function actionsReference(): string {
  return [...new Set(actionTable().values())].map(actionText).join("\n\n");
}

function actionText({
  name,
  aliases = [],
  about,
  params,
  since,
  destructive,
  event,
  needs,
  example,
}: Action): string {
  const facts = [
    aliases.length > 0 ? `Also called ${aliases.map((alias) => `\`${alias}\``).join(", ")}.` : "",
    since === undefined ? "" : `Web API ${since}+.`,
    event === true ? "Happens in every run in which the rule matches." : "",
    destructive === true ? "Guarded by `safety`." : "",
    needs === undefined ? "" : `Needs ${needs.map((source) => sourceCalls[source]).join(", ")}.`,
  ].filter((fact) => fact !== "");
  const rows = params.map((param) => [
    [param.name, param.alias].flatMap((word) => (word === undefined ? [] : `\`${word}\``)).join(" or ") +
      (param.contrary === undefined ? "" : ` (or its contrary \`${param.contrary}\`)`),
    param.about,
    param.required === true
      ? "required"
      : param.default === undefined
        ? ""
        : `\`${JSON.stringify(param.default)}\``,
  ]);
  const paramTable = rows.length === 0 ? "" : `\n\n${table(["param", "what it is", "default"], rows)}`;
  const shown =
    Object.keys(example).length === 0
      ? `- type: ${name}`
      : `- type: ${name}\n  params: ${JSON.stringify(example)}`;
  return `### ${name}\n\n${about}. ${facts.join(" ")}${paramTable}\n\n\`\`\`yaml\n${shown}\n\`\`\``.replaceAll(
    " \n",
    "\n",
  );
}

export function safetyReference(): string {
  return table(
    ["key of `safety`", "what it does (default)"],
    Object.entries(safetyKeys).map(([key, about]) => [`\`${key}\``, about]),
  );
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(heads), row(heads.map(() => "---")), ...rows.map(row)].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
