export { type Problem, formatProblem } from "./compile/problem.ts";
export type { Rule, RuleAction, Ruleset } from "./compile/rule.ts";
export { defaultSafety, type Safety } from "./compile/safety.ts";
export { type RulesTest, type RulesTestReport, testRules } from "./fixtures/test-rules.ts";
export type { Expected } from "./fixtures/read-fixture.ts";
export { type LintReport, lintRules } from "./lint-rules.ts";
export { type Loaded, loadRules, type LoadOptions } from "./load-rules.ts";
export { type Migrated, migrateRules } from "./migrate/migrate-rules.ts";
export { type Finding, formatFinding } from "./migrate/migration.ts";
export type { DeleteFiles, Operation } from "./plan/operation.ts";
export { type ConditionExplanation, explainRules, type RuleExplanation } from "./plan/explain.ts";
export { plan, type Plan, rulesFor } from "./plan/plan.ts";
export { isShortList } from "./plan/safety-guard.ts";
export type { Change, Held } from "./plan/change.ts";
export type { TorrentPlan } from "./plan/plan-torrent.ts";
export { LibraryIndex } from "./plan/library-index.ts";
export { Subject, type World } from "./plan/subject.ts";
export { ClientQbittorrent } from "./run/client-qbittorrent.ts";
export { nodeOutside } from "./run/node-outside.ts";
export {
  type AuditEntry,
  type Job,
  type JobCounters,
  type JobOptions,
  type JobResult,
  type NotReady,
  runJob,
} from "./run/run-job.ts";
export type {
  ListQuery,
  Outside,
  OutsideRequest,
  PartAnswer,
  RulesQbittorrent,
  TorrentOperation,
} from "./run/seams.ts";
export type { OutsideSettings } from "./run/send-outside.ts";
