import { isNever } from "./compare-operators.ts";
import { type Field, type FieldType, isAlwaysThere } from "./field.ts";
import type { Built, Operator, Scalar } from "./operator.ts";
import { show } from "./read-value.ts";
import { truthOf } from "./truth.ts";

const everyType: readonly FieldType[] = [
  "text",
  "hash",
  "state",
  "number",
  "bytes",
  "seconds",
  "time",
  "boolean",
];

/** Whether there is anything: null, `""`, an empty collection, and `never` of a time are empty. */
export function thereOperators(): Operator[] {
  return [
    {
      name: "exists",
      negative: false,
      types: everyType,
      value: "switch",
      about: "there is a value (with `false`: there is none)",
      build: built(false),
    },
    {
      name: "is_empty",
      negative: false,
      types: everyType,
      value: "switch",
      about: "there is no value (with `false`: there is one)",
      build: built(true),
    },
  ];
}

function built(wantsEmpty: boolean): (value: unknown, field: Field) => Built {
  return (value = true, field) => {
    if (typeof value !== "boolean") return { wrong: `takes true or false (or nothing), not ${show(value)}` };
    const onEmpty = value === wantsEmpty;
    const isEmpty = (actual: Scalar) => actual === "" || (field.type === "time" && isNever(Number(actual)));
    return {
      onEmpty,
      test: (actual) => truthOf(isEmpty(actual) === onEmpty),
      matchesAnything: !onEmpty && isAlwaysThere(field),
    };
  };
}
