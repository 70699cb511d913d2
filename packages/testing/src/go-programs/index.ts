export { admit, isAdmissionMissing } from "./admission.ts";
export { isActionlintMissing, lintWorkflows } from "./actionlint.ts";
export { findGoProgram, type GoProgramKind, isGoProgramMissing } from "./go-program.ts";
export { isHelmMissing, runHelm } from "./helm.ts";
