import type { JobFilter } from "./contract.ts";

/** A filter with every bound within reason, whatever was asked for. */
export type BoundedFilter = JobFilter & { readonly limit: number; readonly offset: number };

const pages = { usual: 50, longest: 100 } as const;
const lastMs = Date.UTC(9999, 11, 31);

export function boundFilter(filter: JobFilter): BoundedFilter {
  const { fromMs, toMs, limit = pages.usual, offset = 0 } = filter;
  return {
    ...filter,
    fromMs: fromMs === undefined ? undefined : within(fromMs, 0, lastMs),
    toMs: toMs === undefined ? undefined : within(toMs, 0, lastMs),
    limit: within(limit, 1, pages.longest),
    offset: within(offset, 0, Number.MAX_SAFE_INTEGER),
  };
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(Number.isNaN(value) ? least : Math.trunc(value), least), most);
}
