/** A pending job that is due, as far as choosing goes. */
export type Candidate = {
  readonly id: string;
  readonly context: string | null;
  readonly hash: string | null;
  readonly dryRun: boolean;
  readonly trace: boolean;
  /** Runs of it that were lost. */
  readonly interrupted: number;
};

/** After so many lost runs a job runs alone: whatever kills its worker must not take others with it. */
const togetherUntil = 2;

/** How many of the oldest jobs are looked at for one run. */
export const window = 1000;

/** What a job waits for that is due, while an older one about the same torrent was put off and is not. */
export const olderFirst = "an older job about this torrent";

/**
 * The jobs of the next run: the oldest, and the younger ones that ask the same of other torrents. A job never overtakes
 * an older one that covers the same torrent, so behind a job for all torrents nothing is looked at.
 *
 * @param due oldest first
 */
export function chooseRun<C extends Candidate>(due: readonly C[], most: number): C[] {
  const [oldest] = due;
  if (oldest === undefined) return [];
  const chosen = [oldest];
  if (oldest.interrupted >= togetherUntil) return chosen;
  const passedBy = new Set<string>();
  for (const job of due.slice(1)) {
    if (chosen.length >= most) break;
    if (asksTheSame(job, oldest) && job.interrupted < togetherUntil && !isBehind(job, passedBy)) {
      chosen.push(job);
    } else if (job.hash === null) {
      break;
    } else {
      passedBy.add(job.hash);
    }
  }
  return chosen;
}

function asksTheSame(one: Candidate, other: Candidate): boolean {
  return (
    one.context === other.context &&
    one.dryRun === other.dryRun &&
    one.trace === other.trace &&
    (one.hash === null) === (other.hash === null)
  );
}

function isBehind({ hash }: Candidate, passedBy: ReadonlySet<string>): boolean {
  return hash === null ? passedBy.size > 0 : passedBy.has(hash);
}
