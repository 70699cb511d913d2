import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { tempDir } from "../temp-dir.ts";
import { findProgram } from "./find-program.ts";
import { redisKind, valkeyKind } from "./kinds.ts";
import { type ServerOptions, ServerProcess } from "./server-process.ts";

export type RedisOptions = {
  /** Default "Redis". */
  server?: "Redis" | "Valkey";
  /** Keep the data over `restart` and `kill`, by an append-only file that is synced at each write; default false. */
  appendOnly?: boolean;
  /** What happens when memory is full; default "noeviction", as a job queue needs it. */
  maxmemoryPolicy?: "noeviction" | "allkeys-lru" | "volatile-lru" | "allkeys-random";
  /** Bytes; default no limit. */
  maxmemoryBytes?: number;
  password?: string;
  port?: number;
};

type Identity = { url: string; port: number; password: string };

/** A real Redis on the loopback address. */
export class RunningRedis extends ServerProcess implements Identity {
  /** `redis://[:password@]127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** Empty when the server needs none. */
  readonly password: string;

  constructor({ url, port, password }: Identity, options: ServerOptions) {
    super(options);
    this.url = url;
    this.port = port;
    this.password = password;
  }
}

/**
 * Starts a Redis with a folder of its own and waits until it answers.
 *
 * @throws ServerUnavailableError when this machine cannot get one; Error with the server's output when it fails
 */
export async function startRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  const program = await findProgram(options.server === "Valkey" ? valkeyKind() : redisKind());
  const dir = await tempDir("redis-");
  try {
    const { port = await freePort(), password = "" } = options;
    const conf = join(dir.path, "redis.conf");
    await writeFile(conf, redisConf(dir.path, port, options));
    const url = `redis://${password && `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`;
    const server = new RunningRedis(
      { url, port, password },
      {
        name: `${options.server ?? "Redis"} (${program.origin})`,
        commandLine: program.commandLine({
          args: [conf],
          dir: dir.path,
          env: { LANG: "C.UTF-8" },
        }),
        cwd: dir.path,
        isReady: () => answersPing(port),
        cleanUp: async () => await dir[Symbol.asyncDispose](),
      },
    );
    await server.start();
    return server;
  } catch (error) {
    await dir[Symbol.asyncDispose]();
    throw error;
  }
}

function redisConf(dir: string, port: number, options: RedisOptions): string {
  const { appendOnly = false, maxmemoryPolicy = "noeviction", maxmemoryBytes = 0, password } = options;
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir "${dir}"`,
    'save ""',
    `appendonly ${appendOnly ? "yes" : "no"}`,
    "appendfsync always",
    `maxmemory ${maxmemoryBytes}`,
    `maxmemory-policy ${maxmemoryPolicy}`,
  ];
  if (password !== undefined) lines.push(`requirepass "${password.replaceAll(/["\\]/g, "\\$&")}"`);
  return `${lines.join("\n")}\n`;
}

/** While it loads its data Redis answers "-LOADING …", to a client without password "-NOAUTH …". */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write("PING\r\n"));
    socket.setTimeout(1_000, () => socket.destroy(new Error("no answer to PING within 1 s")));
    socket.once("error", reject).once("data", (answer) => {
      socket.destroy();
      resolve(/^(\+PONG|-NOAUTH)/.test(answer.toString()));
    });
  });
}
