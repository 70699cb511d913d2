export { type AuditLog, type AuditRecord, openAuditLog } from "./audit-log.ts";
export { type DidRun, doRun, type DoRunOptions } from "./do-run.ts";
export {
  auditPath,
  type EngineConfig,
  leaseMs,
  openRules,
  openWorker,
  outsideSettingsOf,
  queueOptions,
  rulesPath,
  torrentNames,
} from "./engine.ts";
export {
  NoRulesError,
  RulesFile,
  type RulesFileOptions,
  type RulesInForce,
  type RulesState,
} from "./rules-file.ts";
export type { TorrentNames } from "./run-rules.ts";
export { engineSettings, redisNeedsUrl } from "./settings.ts";
export { startWorker, type Worker, type WorkerOptions, type WorkerStatus } from "./worker.ts";
