import { freePort, type TempDir, tempDir, waitFor } from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { program } from "./program.ts";

type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

export type ServerUnderTestOptions = {
  /** qBittorrent's address. */
  readonly qbittorrent: string;
  /** Text of the rules file; undefined: there is none. */
  readonly rules?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Its config folder; default a new one. */
  readonly folder?: TempDir;
};

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- what the API answers, for tests to look into
  readonly body: any;
};

export const testKey = "test-key-0123456789";

/** A whole `qbt-rules --serve` in this process, on a port of its own. */
export async function startServerUnderTest(options: ServerUnderTestOptions) {
  const folder = options.folder ?? (await tempDir("qbt-rules-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const rulesFile = join(folder.path, "rules.yml");
  if (options.rules !== undefined) await writeFile(rulesFile, options.rules);
  const env = {
    QBT_RULES_CONFIG_DIR: folder.path,
    QBT_RULES_SERVER_HOST: "127.0.0.1",
    QBT_RULES_SERVER_PORT: String(port),
    QBT_RULES_SERVER_API_KEY: testKey,
    QBT_RULES_QBITTORRENT_HOST: options.qbittorrent,
    QBT_RULES_LOG_FILE: "",
    LOG_FORMAT: "json",
    ...options.env,
  };
  const lines: LogLine[] = [];
  const signals = new Map<string, (...args: never[]) => void>();
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  const running = program({
    argv: ["node", "main.js", "--serve", ...(options.args ?? [])],
    env,
    stdout: { write: (text) => lines.push(JSON.parse(text)) },
    stderr: { write: (text) => lines.push({ level: "stderr", msg: text }) },
    on: (event: string, listener: (...args: never[]) => void) => signals.set(event, listener),
    exit,
  });
  running.catch(() => exit(-1));
  const stop = async () => {
    signals.get("SIGTERM")?.();
    return await exited;
  };
  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = new Headers(init.headers);
    if (!headers.has("x-api-key")) headers.set("x-api-key", testKey);
    const response = await fetch(url + path, { ...init, method, headers });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    };
  };
  await waitFor(() => lines.some(({ msg }) => msg.startsWith("API, page") || msg.startsWith("the app")), {
    what: `the server to listen (${JSON.stringify(lines.at(-1))})`,
    timeoutMs: 20_000,
  });
  return {
    url,
    env,
    folder,
    rulesFile,
    lines,
    exited,
    stop,
    ask,
    get: async (path: string) => await ask("GET", path),
    post: async (path: string, init?: RequestInit) => await ask("POST", path, init),
    /** Submits, and resolves to the job once it is over. */
    async done(query: string): Promise<Answer["body"]> {
      const { body } = await ask("POST", `/api/execute?${query}`);
      return await this.over(body.job_id);
    },
    async over(id: string): Promise<Answer["body"]> {
      return await waitFor(
        async () => {
          const { body } = await ask("GET", `/api/jobs/${id}`);
          return ["completed", "failed", "cancelled"].includes(body.status) && body;
        },
        { what: `job ${id} to be over`, timeoutMs: 30_000 },
      );
    },
    /** Runs the client as a user would. */
    async cli(
      args: readonly string[],
      more: Readonly<Record<string, string>> = {},
      terminal?: { isTTY: boolean; write(text: string): void },
    ) {
      let [stdout, stderr] = ["", ""];
      const client = {
        argv: ["node", "main.js", ...args],
        env: { ...env, QBT_RULES_CLIENT_SERVER_URL: url, ...more },
        stdout: { write: (text: string) => void (stdout += text) },
        stderr: terminal ?? { write: (text: string) => void (stderr += text) },
        on: () => undefined,
        exit: () => undefined,
        exitCode: undefined as number | string | null | undefined,
      };
      await program(client);
      return { code: client.exitCode, stdout, stderr };
    },
    async [Symbol.asyncDispose]() {
      await stop();
      if (options.folder === undefined) await folder[Symbol.asyncDispose]();
    },
  };
}

export type ServerUnderTest = Awaited<ReturnType<typeof startServerUnderTest>>;
