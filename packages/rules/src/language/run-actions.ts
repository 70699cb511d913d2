import type { Torrent } from "@qbit-sidecars/qbit-client";
import type { Operation } from "../plan/operation.ts";
import type { Subject } from "../plan/subject.ts";
import type { Action, Outcome } from "./action.ts";
import { isStopped } from "./states.ts";

function isComplete({ progress, state }: Torrent): boolean {
  return progress >= 1 || state.endsWith("UP");
}

/** Running, stopping, checking and queueing. */
export function runActions(): Action[] {
  return [
    {
      name: "stop",
      aliases: ["pause"],
      about: "stops it",
      params: [],
      example: {},
      plan: (_, { info }) => {
        if (isStopped(info.state)) return { skip: "it is stopped" };
        const state = isComplete(info) ? "stoppedUP" : "stoppedDL";
        return {
          operation: { kind: "stop" },
          before: info.state,
          after: state,
          change: { state, force_start: false },
        };
      },
    },
    {
      name: "start",
      aliases: ["resume"],
      about: "starts it, as far as the queue lets it",
      params: [],
      example: {},
      plan: (_, { info }) => {
        if (!isStopped(info.state)) return { skip: "it is not stopped" };
        const state = isComplete(info) ? "stalledUP" : "stalledDL";
        return {
          operation: { kind: "start" },
          before: info.state,
          after: state,
          change: { state, force_start: false },
        };
      },
    },
    {
      name: "force_start",
      about: "runs it whatever the queue says",
      params: [{ name: "enabled", kind: "flag", about: "`false`: the queue decides again", default: true }],
      example: {},
      plan: (params, { info }) => forceStart(params.flag("enabled"), info),
    },
    {
      name: "recheck",
      about: "checks its data",
      params: [],
      event: true,
      example: {},
      plan: (_, { info }) => {
        if (info.state.startsWith("checking")) return { skip: "it is being checked" };
        const state = isComplete(info) ? "checkingUP" : "checkingDL";
        return { operation: { kind: "recheck" }, before: info.state, after: state, change: { state } };
      },
    },
    {
      name: "reannounce",
      about: "tells the trackers and asks for peers again",
      params: [],
      event: true,
      example: {},
      plan: () => ({ operation: { kind: "reannounce" }, before: null, after: "announced" }),
    },
    priority("increase_priority", "up", "moves it up in the queue by one"),
    priority("decrease_priority", "down", "moves it down in the queue by one"),
    priority("set_top_priority", "top", "moves it to the top of the queue"),
    priority("set_bottom_priority", "bottom", "moves it to the end of the queue"),
    toggle("set_super_seeding", { field: "super_seeding", about: "super seeding" }),
    toggle("set_sequential", { field: "seq_dl", about: "downloading in order" }),
    toggle("set_first_last_priority", { field: "f_l_piece_prio", about: "first and last pieces first" }),
    toggle("set_auto_tmm", { field: "auto_tmm", about: "automatic torrent management" }),
  ];
}

function forceStart(enabled: boolean, info: Torrent): Outcome {
  if (info.force_start === enabled && !(enabled && isStopped(info.state)))
    return { skip: enabled ? "it is forced to run" : "it is not forced to run" };
  const state = enabled
    ? isComplete(info)
      ? "forcedUP"
      : "forcedDL"
    : isComplete(info)
      ? "stalledUP"
      : "stalledDL";
  return {
    operation: { kind: "forceStart", enabled },
    before: info.state,
    after: state,
    change: { force_start: enabled, state },
  };
}

function priority(name: string, move: (Operation & { kind: "priority" })["move"], about: string): Action {
  const plan = (_: unknown, { info }: Subject): Outcome => {
    if (info.priority <= 0) return { skip: "it is not queued" };
    if (info.priority === 1 && (move === "up" || move === "top")) return { skip: "it is at the top" };
    return { operation: { kind: "priority", move }, before: info.priority, after: move };
  };
  const isState = move === "top";
  return {
    name,
    about: `${about}; queueing has to be on`,
    params: [],
    ...(!isState && { event: true as const }),
    example: {},
    plan,
  };
}

type SwitchField = "super_seeding" | "seq_dl" | "f_l_piece_prio" | "auto_tmm";

const operations: Readonly<Record<SwitchField, (enabled: boolean) => Operation>> = {
  super_seeding: (enabled) => ({ kind: "superSeeding", enabled }),
  auto_tmm: (enabled) => ({ kind: "autoManagement", enabled }),
  seq_dl: () => ({ kind: "toggleSequential" }),
  f_l_piece_prio: () => ({ kind: "toggleFirstLast" }),
};

function toggle(name: string, { field, about }: { field: SwitchField; about: string }): Action {
  return {
    name,
    about: `switches ${about} on or off`,
    params: [{ name: "enabled", kind: "flag", about: "on or off", default: true }],
    example: { enabled: true },
    plan: (params, { info }) => {
      const enabled = params.flag("enabled");
      if (info[field] === enabled) return { skip: `${about} is ${enabled ? "on" : "off"}` };
      return {
        operation: operations[field](enabled),
        before: info[field],
        after: enabled,
        change: { [field]: enabled },
      };
    },
  };
}
