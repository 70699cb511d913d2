import type { ConditionTrace, Details, RuleTrace } from "./api.ts";
import { h } from "./dom.ts";
import { badge } from "./words.ts";

/** Every rule with every condition, and what each found. */
export function traceOf(trace: NonNullable<Details["trace"]>): HTMLElement {
  return h(
    "div",
    {},
    ...trace.flatMap(({ name, hash, rules }) => [
      h("h3", {}, name),
      ...rules.map((rule, index) => ruleTrace(rule, `${hash}-${index}`)),
    ]),
  );
}

function ruleTrace({ rule, answer, conditions }: RuleTrace, id: string): HTMLElement {
  const tree = conditions && h("ul", { class: "conditions" }, condition(conditions));
  const isOpen = answer !== "no" && answer !== "not reached";
  return h("details", { id: `trace-${id}`, open: isOpen }, h("summary", {}, badge(answer), ` ${rule}`), tree);
}

function condition({ condition: text, answer, actual, source, items = [] }: ConditionTrace): HTMLElement {
  return h(
    "li",
    {},
    badge(answer),
    " ",
    h("code", { title: source }, text),
    actual === undefined ? "" : h("span", { class: "soft" }, ` is ${actual}`),
    items.length > 0 && h("ul", { class: "conditions" }, ...items.map(condition)),
  );
}
