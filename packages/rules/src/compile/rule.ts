import type { Action, PlanAction } from "../language/action.ts";
import type { Source } from "../language/source.ts";
import type { Condition } from "./condition.ts";
import type { Params } from "./params.ts";
import type { Place, Problem } from "./problem.ts";
import type { Safety } from "./safety.ts";

export type RuleAction = {
  readonly action: Action;
  readonly params: Params;
  /** For torrents the rule does not match. */
  readonly planOther: PlanAction | undefined;
  /** What has to be fetched before it can be planned. */
  readonly needs: readonly Source[];
};

export type Rule = {
  readonly index: number;
  readonly name: string;
  readonly at: Place;
  readonly enabled: boolean;
  readonly stopOnMatch: boolean;
  /** Empty: in every context, and without one. */
  readonly contexts: readonly string[];
  readonly condition: Condition;
  readonly actions: readonly RuleAction[];
  readonly isDestructive: boolean;
  /** What this rule needs beyond the oldest Web API: the highest `since` of its fields and actions, and whose. */
  readonly needs: readonly { readonly what: string; readonly since: string }[];
};

/** A rules file that was found right. Immutable; one serves any number of runs. */
export type Ruleset = {
  readonly file: string;
  readonly rules: readonly Rule[];
  readonly safety: Safety;
  readonly warnings: readonly Problem[];
};
