import type { Operation } from "./operation.ts";

/** One thing to be done to one torrent, and why. */
export type Change = {
  readonly hash: string;
  readonly name: string;
  readonly rule: string;
  readonly ruleIndex: number;
  readonly actionIndex: number;
  readonly action: string;
  readonly operation: Operation;
  readonly before: unknown;
  readonly after: unknown;
  /** The conditions that made the rule match, with the values they found. */
  readonly because: readonly string[];
  /** Of a deletion with data: torrents that use the same data and are to go, too. It goes with the last of them. */
  readonly leavesWith?: readonly string[];
};

/** A change that a guard kept from happening. */
export type Held = {
  readonly hash: string;
  readonly name: string;
  readonly rule: string;
  readonly reason: string;
};
