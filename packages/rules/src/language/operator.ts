import type { Subject } from "../plan/subject.ts";
import type { Field, FieldType } from "./field.ts";
import type { Truth } from "./truth.ts";

export type Scalar = string | number | boolean;

/** Decides about one value that is there; nulls, empty collections and quantifiers are decided before. */
export type Test = (actual: Scalar, subject: Subject) => Truth;

export type Built =
  | {
      readonly test: Test;
      /** Instead of the operator's usual answer for null, an empty collection and the like. */
      readonly onEmpty?: boolean;
      readonly notes?: readonly string[];
      /** Holds for every torrent there could be. */
      readonly matchesAnything?: boolean;
      /** Runs with a time budget, so it is asked last. */
      readonly slow?: boolean;
    }
  /** Why the value will not do, and what would. */
  | { readonly wrong: string };

export type Operator = {
  readonly name: string;
  /** A negative holds for what is not there, and in a collection has to hold for every item. */
  readonly negative: boolean;
  readonly types: readonly FieldType[];
  /** Of what the value has to be, for people and for the JSON Schema. */
  readonly value:
    | "scalar"
    | "list"
    | "text"
    | "pattern"
    | "number"
    | "range"
    | "duration"
    | "size"
    | "switch";
  readonly about: string;
  readonly build: (value: unknown, field: Field) => Built;
};
