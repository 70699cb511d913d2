import type { ProcessLike } from "@qbit-sidecars/service";
import {
  type FakeQbittorrent,
  freePort,
  type MadeTorrent,
  startFakeQbittorrent,
  tempDir,
} from "@qbit-sidecars/testing";
import { join } from "node:path";
import { program } from "./program.ts";

/** A run of the program within this process. */
export type RunningSource = AsyncDisposable & {
  healthUrl: string;
  output(): string;
  /** The body of GET /status. */
  status(): Promise<string>;
  metric(name: string): Promise<number>;
};

/** Runs qbsync-source as its image would, without a process of its own. */
export async function runSource(env: Record<string, string>): Promise<RunningSource> {
  const healthPort = await freePort();
  const signals = new Map<string, (...args: never[]) => void>();
  let output = "";
  const exited = Promise.withResolvers<number>();
  const stream = { write: (text: string) => (output += text) };
  const process: ProcessLike = {
    argv: ["node", "main.ts", "source"],
    env: {
      LOG_FORMAT: "json",
      QBSYNC_SOURCE_HEALTH_ADDR: `127.0.0.1:${healthPort}`,
      QBSYNC_SOURCE_POLL_INTERVAL: "100ms",
      QBSYNC_SOURCE_SLEEP: "1s",
      QBSYNC_SOURCE_RECONNECT_MAX_DELAY: "500ms",
      ...env,
    },
    stdout: stream,
    stderr: stream,
    on: (event: string, listener: (...args: never[]) => void) => signals.set(event, listener),
    exit: (code: number) => exited.resolve(code),
  };
  const running = program(process);
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  return {
    healthUrl,
    output: () => output,
    status: async () => await (await fetch(`${healthUrl}/status`)).text(),
    async metric(name) {
      const text = await (await fetch(`${healthUrl}/metrics`)).text();
      const line = text
        .split("\n")
        .find((one) => one.startsWith(`${name} `) || (!name.includes("{") && one.startsWith(`${name}{`)));
      return Number(line?.split(" ").at(-1) ?? Number.NaN);
    },
    async [Symbol.asyncDispose]() {
      signals.get("SIGTERM")?.();
      await exited.promise;
      await running;
    },
  };
}

/** A qbsync-source beside a fake qBittorrent that has this torrent, complete. */
export async function runSourceWith(
  made: MadeTorrent,
  destination: { port: number },
): Promise<{ source: RunningSource; qbittorrent: FakeQbittorrent } & AsyncDisposable> {
  await using closers = new AsyncDisposableStack();
  const { path } = closers.use(await tempDir());
  const qbittorrent = closers.use(await startFakeQbittorrent({ preferences: { save_path: path } }));
  await made.write(path);
  qbittorrent.putFiles(made.files.map((file) => join(path, file.path)));
  const fields = { progress: 1, state: "stalledUP" };
  qbittorrent.addTorrent({ torrent: made.torrent, savePath: path, fields });
  const source = closers.use(
    await runSource({
      QBSYNC_SOURCE_DATA: path,
      QBSYNC_SOURCE_QB_URL: qbittorrent.url,
      QBSYNC_SOURCE_QB_USERNAME: "a",
      QBSYNC_SOURCE_QB_PASSWORD: "b",
      QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${destination.port}`,
    }),
  );
  const resources = closers.move();
  return { source, qbittorrent, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
