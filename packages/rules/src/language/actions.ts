import type { Action } from "./action.ts";
import { deleteActions } from "./delete-action.ts";
import { labelActions } from "./label-actions.ts";
import { limitActions } from "./limit-actions.ts";
import { outsideActions } from "./outside-actions.ts";
import { placeActions } from "./place-actions.ts";
import { runActions } from "./run-actions.ts";

/** By name and by alias. */
export type Actions = ReadonlyMap<string, Action>;

/** The one table of actions: compiler, JSON Schema and reference are made from it. */
export function actionTable(): Actions {
  const all = [
    ...runActions(),
    ...labelActions(),
    ...limitActions(),
    ...placeActions(),
    ...deleteActions(),
    ...outsideActions(),
  ];
  return new Map(
    all.flatMap((action) => [action.name, ...(action.aliases ?? [])].map((name) => [name, action] as const)),
  );
}
