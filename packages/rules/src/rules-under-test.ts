import type { Torrent } from "@qbit-sidecars/qbit-client";
import type { Ruleset } from "./compile/rule.ts";
import { formatProblem } from "./compile/problem.ts";
import { loadRules } from "./load-rules.ts";
import { evaluate } from "./plan/evaluate.ts";
import { Subject, type World } from "./plan/subject.ts";
import type { Truth } from "./language/truth.ts";

/** A ruleset of what has to be right. JSON is YAML, so objects will do. */
export function rulesOf(source: string | object): Ruleset {
  const loaded = loadRules(typeof source === "string" ? source : JSON.stringify(source));
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  return loaded.ruleset;
}

/** What is said about a source that has to be wrong. */
export function problemsOf(source: string | object): string[] {
  const loaded = loadRules(typeof source === "string" ? source : JSON.stringify(source));
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

export function rule(conditions: unknown, ...actions: unknown[]): object {
  return { name: "a rule", conditions, actions: actions.length === 0 ? [{ type: "reannounce" }] : actions };
}

export const nowMs = Date.UTC(2026, 10, 20, 12);

export function torrent(fields: Partial<Torrent> = {}): Torrent {
  const seconds = nowMs / 1000;
  return {
    hash: "a".repeat(40),
    name: "Some.Film.2026.1080p",
    state: "stalledUP",
    progress: 1,
    size: 4_000_000_000,
    total_size: 4_000_000_000,
    amount_left: 0,
    completed: 4_000_000_000,
    downloaded: 4_000_000_000,
    uploaded: 8_000_000_000,
    dlspeed: 0,
    upspeed: 0,
    dl_limit: 0,
    up_limit: 0,
    ratio: 2,
    eta: 8_640_000,
    category: "movies",
    tags: "hd, keep",
    save_path: "/data",
    content_path: "/data/Some.Film.2026.1080p",
    added_on: seconds - 86_400 * 10,
    completion_on: seconds - 86_400 * 9,
    last_activity: seconds - 3600,
    seen_complete: seconds - 3600,
    tracker: "",
    num_seeds: 0,
    num_leechs: 0,
    num_complete: 5,
    num_incomplete: 1,
    priority: 0,
    auto_tmm: false,
    force_start: false,
    super_seeding: false,
    seq_dl: false,
    f_l_piece_prio: false,
    ratio_limit: -2,
    seeding_time_limit: -2,
    magnet_uri: "",
    has_metadata: true,
    ...fields,
  };
}

export function subjectOf(fields: Partial<Torrent> = {}, world: Partial<World> = {}): Subject {
  return new Subject(torrent(fields), { now: nowMs, ...world });
}

/** The answer of conditions for a subject. */
export function ask(conditions: unknown, subject: Subject): Truth {
  const [only] = rulesOf({ rules: [rule(conditions)] }).rules;
  if (only === undefined) throw new Error("there is no rule");
  subject.reset();
  return evaluate(only.condition, subject);
}
