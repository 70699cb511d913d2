/** Where text goes: process.stdout and process.stderr fit. */
export type Output = {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  on?(event: "error", listener: (error: Error) => void): unknown;
};

/** What a service needs of `process`; tests pass one of their own. */
export type ProcessLike = {
  /** As Node gives it: the first two entries are the runtime and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  exitCode?: number | string | null | undefined;
  on(event: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  on(event: "uncaughtException", listener: (error: unknown, origin: string) => void): unknown;
  exit(code: number): unknown;
};
