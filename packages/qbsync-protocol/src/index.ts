export * from "./gen/qbit_sidecars/qbsync/v1/qbsync.ts";
export * from "./hand-off/index.ts";
export * from "./layout/index.ts";
export * from "./transport/index.ts";
