export type Flags = {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly verbose: boolean;
  /** `\w` and `\d` know ASCII only. */
  readonly ascii: boolean;
};

export const noFlags: Flags = {
  ignoreCase: false,
  multiline: false,
  dotAll: false,
  verbose: false,
  ascii: false,
};

/** `L` and `u` are taken and mean nothing: names are Unicode. */
export function letterFlags(flags: Flags, on: string, off: string): Flags {
  const flag = (letter: string, now: boolean) => (on.includes(letter) || now) && !off.includes(letter);
  return {
    ignoreCase: flag("i", flags.ignoreCase),
    multiline: flag("m", flags.multiline),
    dotAll: flag("s", flags.dotAll),
    verbose: flag("x", flags.verbose),
    ascii: flag("a", flags.ascii),
  };
}
