import type { Output } from "@qbit-sidecars/service";
import type { Config } from "../config.ts";
import { ServerClient } from "./server-client.ts";

/** What a command is given. */
export type CommandContext = {
  readonly config: Config;
  /** Words after the command. */
  readonly operands: readonly string[];
  readonly stdout: Output;
  readonly stderr: Output;
  readonly server: ServerClient;
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds that only grow. */
  readonly monotonic: () => number;
};

/**
 * Exit codes: 0 it worked; 1 it did not (the job failed, there is no such job, the rules are wrong); 2 the command
 * line or the settings are wrong; 3 the server cannot be asked.
 */
export type ExitCode = 0 | 1 | 2 | 3;

/** The server that the settings name. Inside its own container its port and key are known. */
export function serverOf(config: Config): ServerClient {
  return new ServerClient({
    url: config.clientServerUrl ?? `http://localhost:${config.serverPort}`,
    key: config.clientApiKey ?? config.serverApiKey,
    timeoutMs: config.clientTimeout,
  });
}

export function writeJson({ stdout }: CommandContext, value: unknown): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
