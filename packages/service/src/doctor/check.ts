/** What one look told. `unknown`: it could not be checked, which is neither good nor bad. */
export type Finding =
  | { readonly verdict: "ok"; readonly seen: string }
  | { readonly verdict: "problem" | "unknown"; readonly seen: string; readonly todo: string };

export type Verdict = Finding["verdict"];

/** One thing that a doctor looks at. A look changes nothing, anywhere. */
export type DoctorCheck = {
  /** What is looked at, in a word or three: `qbittorrent login`. */
  readonly name: string;
  /** Names of checks that come before it in the list; unless all of them are ok there is nothing to look at. */
  readonly after?: readonly string[] | undefined;
  /** @throws what it did not expect, which counts as `unknown` */
  look(signal: AbortSignal): Finding | Promise<Finding>;
};

/** @param seen what was found, as a clause without a full stop */
export const ok = (seen: string): Finding => ({ verdict: "ok", seen });

/** @param todo what to do about it, in the imperative */
export const problem = (seen: string, todo: string): Finding => ({ verdict: "problem", seen, todo });

/** @param todo how it can be found out */
export const unknown = (seen: string, todo: string): Finding => ({ verdict: "unknown", seen, todo });

/** Bytes as disks are sold. */
export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** What `--help` says of the command. */
export const aboutDoctor =
  "Look at everything this program needs and say what to do; changes nothing. Exit 0 all well, 1 a problem, 3 no problem but something could not be checked.";
