type Child = Node | string | number | false | null | undefined;
type Prop = string | number | boolean | undefined | ((event: Event) => void);

/**
 * An element. A property that is a function listens to the event of its name, `true` is an attribute without a value;
 * texts are texts, never markup: names of torrents are written by strangers.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Readonly<Record<string, Prop>> = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter(isShown).map(asNode));
  return element;
}

const isShown = (child: Child): child is Node | string | number =>
  child !== undefined && child !== null && child !== false;

const asNode = (child: Node | string | number): Node | string =>
  typeof child === "number" ? String(child) : child;

/** Puts a view in place of another without taking the focus from who works with the keyboard. */
export function replace(parent: HTMLElement, ...children: readonly Node[]): void {
  const focused = document.activeElement?.id;
  const open = new Set([...parent.querySelectorAll("details[open]")].map(({ id }) => id));
  parent.replaceChildren(...children);
  for (const details of parent.querySelectorAll("details")) if (open.has(details.id)) details.open = true;
  if (focused) document.getElementById(focused)?.focus();
}

export type Column<Row> = readonly [title: string, cell: (row: Row) => Node | string | number];

/** A table that a narrow screen shows as a list. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): HTMLTableElement {
  const head = columns.map(([title]) => h("th", { scope: "col" }, title));
  const body = rows.map((row) =>
    h("tr", {}, ...columns.map(([title, cell]) => h("td", { "data-label": title }, cell(row)))),
  );
  return h(
    "table",
    {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...head)),
    h("tbody", {}, ...body),
  );
}

/** Terms with what they are; those without are left out. */
export function facts(pairs: Readonly<Record<string, Child>>): HTMLDListElement {
  const shown = Object.entries(pairs).filter(([, value]) => isShown(value) && value !== "");
  return h("dl", {}, ...shown.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

/** What was typed into a field of a form. */
export function typed(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value.trim() : "";
}
