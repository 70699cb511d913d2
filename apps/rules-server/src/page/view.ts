import type { Api } from "./api.ts";

/** A page below `#/`. */
export type View = {
  readonly title: string;
  /** Draws it anew from what the server says now. */
  refresh(): Promise<void>;
};

export type ViewParts = {
  readonly api: Api;
  readonly main: HTMLElement;
  /** Aborts when another page is shown. */
  readonly signal: AbortSignal;
  /** Says something to the person, also to who cannot see it. */
  readonly tell: (text: string) => unknown;
};

/** Does what a person asked for by a button, and says when it did not work. */
export async function attempt(tell: ViewParts["tell"], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  }
}
