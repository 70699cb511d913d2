import type { Metrics } from "@qbit-sidecars/service";
import type { DidRun } from "./do-run.ts";

export type RunMeasures = { run(did: DidRun, seconds: number): void };

/** Counts what runs do. Rules are no labels: a user may have hundreds, and rename them. */
export function measureRuns(metrics: Metrics): RunMeasures {
  const jobs = metrics.counter({
    name: "qbt_rules_jobs_total",
    help: "Jobs that were run, by how that ended.",
    labelNames: ["outcome"],
  });
  const seconds = metrics.histogram({
    name: "qbt_rules_run_duration_seconds",
    help: "Time of one run of the rules, however many jobs it was for.",
    buckets: [0.01, 0.05, 0.25, 1, 5, 30, 120],
  });
  const actions = metrics.counter({
    name: "qbt_rules_actions_total",
    help: "Actions by type and result.",
    labelNames: ["action", "result"],
  });
  const held = metrics.counter({ name: "qbt_rules_held_total", help: "Deletions that a guard held back." });
  const unanswered = metrics.counter({
    name: "qbt_rules_condition_errors_total",
    help: "Conditions nobody could answer.",
  });
  const matches = metrics.counter({
    name: "qbt_rules_matches_total",
    help: "Pairs of a rule and a torrent it matched.",
  });
  return {
    run({ settlements, ran }, took) {
      seconds.observe(took);
      for (const { outcome } of settlements) jobs.inc({ outcome: outcome.kind.replace(" ", "_") });
      if (ran === undefined) return;
      const { entries, counters } = ran.result;
      for (const { action, result } of entries) actions.inc({ action, result });
      held.inc(ran.result.held.length);
      unanswered.inc(counters.condition_errors);
      matches.inc(counters.rules_matched);
    },
  };
}
