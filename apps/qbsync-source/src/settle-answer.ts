import { PieceAnswer_Outcome as Outcome } from "@qbit-sidecars/qbsync-protocol";
import type { TrackedTorrent } from "./tracked-torrent.ts";

/** How long a piece waits after the destination did not take it. */
const waitsMs = { refused: 1000, failed: 5000 };

/** What the destination says of a piece, and when. */
type Verdict = { outcome: Outcome; detail: string; now: number };

/** Notes what an answer means for its piece. @returns whether the piece is still on its way */
export function settle(tracked: TrackedTorrent, piece: number, { outcome, detail, now }: Verdict): boolean {
  const { progress } = tracked;
  switch (outcome) {
    case Outcome.UNSPECIFIED:
    case Outcome.RECEIVED:
    case Outcome.SUPERSEDED:
      return true;
    case Outcome.WRITTEN:
      progress?.written(piece);
      return false;
    case Outcome.DURABLE:
      progress?.durable(piece);
      return false;
    case Outcome.NOT_WANTED:
      progress?.unwanted(piece);
      return false;
    case Outcome.NOT_OPEN:
      tracked.isOpen = false;
      tracked.isPaused = false;
      progress?.comeBack(piece, now);
      return false;
    case Outcome.HASH_MISMATCH:
    case Outcome.REFUSED:
      progress?.comeBack(piece, now + waitsMs.refused);
      tracked.strike(piece, detail);
      return false;
    case Outcome.PAUSED:
      tracked.pause();
      progress?.comeBack(piece, now);
      return false;
    case Outcome.FAILED:
      progress?.comeBack(piece, now + waitsMs.failed);
      // A disk that does not work now, or a torrent that will not go on before a person has done something.
      tracked.isInDoubt = true;
      return false;
    default:
      return true;
  }
}
