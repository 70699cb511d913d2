export { formatAddress, parseAddress, type Address } from "./address.ts";
export { readTextFile, type FileReading, type ReadFile } from "./bounded-file.ts";
export { readCommandLine } from "./command-line.ts";
export {
  DeclarationError,
  declareSettings,
  type ConfigOf,
  type Declaration,
  type DeclaredSetting,
  type Rule,
  type Settings,
} from "./declare-settings.ts";
export { formatDuration, parseDuration, type DurationUnit } from "./duration.ts";
export type { Environment } from "./environment.ts";
export type { Kind, Reading, Written } from "./kind.ts";
export type { CommandLine, CommandWord, ConfigFileOptions, Input, Program } from "./program.ts";
export { aboutOf, defaultTextOf } from "./help.ts";
export { qbitSettings, type OwnNames, type QbitSettingsOptions } from "./qbit-settings.ts";
export { hideCredentials } from "./quote.ts";
export type { EffectiveSetting } from "./resolve.ts";
export { settingsSchema, type JsonSchema } from "./schema.ts";
export { nearest } from "./nearest.ts";
export { Secret } from "./secret.ts";
export { setting, type FlagName, type Setting, type SettingOptions } from "./setting.ts";
export { formatSize, parseSize, type SizeUnit } from "./size.ts";
export type { TextPattern } from "./text-kinds.ts";
export { settingsTable } from "./table.ts";
export type { LogLevel } from "./word-kinds.ts";
export { warnAboutUnknownVariables } from "./unknown-variables.ts";
