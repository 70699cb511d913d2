/** How to run a server program with certain arguments. */
export type CommandLine = {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Set when the command is the client of a container engine: signals must go to the container itself. */
  container?: { signal: (signal: NodeJS.Signals) => void };
};

/** A server program that was found or made on this machine. */
export type Program = {
  /** Where it comes from, in words for people: "PATH", "Debian forky, qbittorrent-nox 5.3.0-1". */
  origin: string;
  version: string;
  /** @param dir the one folder the server reads and writes, mounted where the program runs in a container */
  commandLine(args: readonly string[], dir: string): CommandLine;
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
