/** What a server program is to be run with. */
type Run = {
  args: readonly string[];
  /** The one folder it reads and writes. */
  dir: string;
  /** All of its environment. */
  env: Readonly<Record<string, string>>;
};

/** The process that runs it. */
export type CommandLine = {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Set when the command is the client of a container engine: signals must go to the container itself. */
  container?: { signal: (signal: NodeJS.Signals) => void };
};

/** A server program that was found or made on this machine. */
export type Program = {
  /** Where it comes from, in words for people: "PATH", "Debian forky, qbittorrent-nox 5.3.0-1". */
  origin: string;
  version: string;
  commandLine: (run: Run) => CommandLine;
};

/** A server the tests need, and every way to get it. */
export type ServerKind = {
  /** "qBittorrent 5.3.0" */
  name: string;
  /** The environment variable that names a binary of it. */
  variable: string;
  executable: string;
  /** The version tests were written for. */
  version: string;
  /** Whether another version found on the machine serves as well. */
  accepts: (version: string) => boolean;
  debian: { suite: string; package: string };
  /** Image of a container registry, undefined where none is published. */
  image?: string;
};
