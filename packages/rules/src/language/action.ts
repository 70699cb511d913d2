import type { Torrent } from "@qbit-sidecars/qbit-client";
import type { Params } from "../compile/params.ts";
import type { Operation } from "../plan/operation.ts";
import type { Row, Subject } from "../plan/subject.ts";
import type { PartName, Source } from "./source.ts";

type ParamKind =
  | "text"
  | "texts"
  | "template"
  | "flag"
  | "rate"
  | "ratio"
  | "minutes"
  | "pattern"
  | "filePriority"
  | "deleteFiles"
  | "anything"
  | { readonly choice: readonly string[] };

export type Param = {
  readonly name: string;
  readonly kind: ParamKind;
  readonly about: string;
  readonly required?: true;
  readonly default?: unknown;
  /** Another name for the same. */
  readonly alias?: string;
  /** A flag that says the contrary. */
  readonly contrary?: string;
};

export type Outcome =
  /** The torrent is already as it should be. */
  | { readonly skip: string }
  | {
      readonly operation: Operation;
      readonly before: unknown;
      readonly after: unknown;
      /** How the torrent looks to later rules. */
      readonly change?: Partial<Torrent>;
      readonly parts?: Partial<Record<PartName, readonly Row[]>>;
    };

export type PlanAction = (params: Params, subject: Subject, rule: string) => Outcome;

export type Action = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly about: string;
  readonly params: readonly Param[];
  /** First Web API version that can do it. */
  readonly since?: string;
  /** It takes something away that cannot be brought back. */
  readonly destructive?: boolean;
  /** Not a state to be in but a thing to happen: done again in every run in which the rule matches. */
  readonly event?: true;
  /** What has to be fetched to know whether it is needed. */
  readonly needs?: readonly Source[];
  readonly plan: PlanAction;
  /** What it does to torrents the rule does not match, if with these params it does anything. */
  readonly planOther?: (params: Params) => PlanAction | undefined;
  /** Params of the example in the reference. */
  readonly example: Readonly<Record<string, unknown>>;
};
