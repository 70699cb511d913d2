import { torrentState, torrentStates } from "@qbit-sidecars/qbit-client";

/** The vocabulary of 5.x, in which every version's states are seen. */
export const stateWords: readonly string[] = torrentStates;

/** 4.x words → 5.x words. */
export const formerStateWords: Readonly<Record<string, string>> = {
  pausedUP: "stoppedUP",
  pausedDL: "stoppedDL",
  queuedForChecking: "checkingResumeData",
};

export function stateWord(word: string): string {
  return torrentState(word);
}

/** Both spellings of a state, for operators that look inside a word: `contains paused` means stopped, too. */
export function spellings(state: string): readonly string[] {
  const former = Object.keys(formerStateWords).filter((word) => formerStateWords[word] === state);
  return [state, ...former];
}

export function isStopped(state: string): boolean {
  return state === "stoppedUP" || state === "stoppedDL";
}
