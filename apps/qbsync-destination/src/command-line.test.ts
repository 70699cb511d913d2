import { readCommandLine } from "@qbit-sidecars/config";
import { describe, expect, test } from "vitest";
import { settings } from "./config.ts";

const program = {
  name: "qbsync-destination",
  version: "0",
  about: "Test.",
  settings,
  ignoredWords: ["destination"],
};
const run = async (env: Record<string, string>, argv: string[] = []) => {
  const result = await readCommandLine(program, { argv, env });
  if (result.kind === "exit") throw new Error(result.stderr);
  return result.config;
};

describe("the seed's settings", () => {
  test("work as its Compose file writes them", async () => {
    const config = await run(
      {
        QBSYNC_DESTINATION_DATA: "/downloads",
        QBSYNC_DESTINATION_QB_URL: "http://qbittorrent-destination:8080",
      },
      ["destination"],
    );
    expect(config).toMatchObject({
      data: "/downloads",
      savePath: undefined,
      qbitUrl: "http://qbittorrent-destination:8080",
      listen: { host: undefined, port: 50_051 },
      pollInterval: 2000,
      pollTimeout: 300_000,
      streamWorkers: 0,
      maxStreamBuffer: 512_000_000,
      syncedTag: "synced",
      healthAddr: { host: undefined, port: 8080 },
      dryRun: false,
    });
  });

  test("all have their variables", async () => {
    const config = await run({
      QBSYNC_DESTINATION_DATA: "/d",
      QBSYNC_DESTINATION_LISTEN: "127.0.0.1:6000",
      QBSYNC_DESTINATION_SAVE_PATH: "/seen",
      QBSYNC_DESTINATION_QB_USERNAME: "admin",
      QBSYNC_DESTINATION_QB_PASSWORD: "secret",
      QBSYNC_DESTINATION_POLL_INTERVAL: "5",
      QBSYNC_DESTINATION_POLL_TIMEOUT: "60",
      QBSYNC_DESTINATION_STREAM_WORKERS: "3",
      QBSYNC_DESTINATION_MAX_STREAM_BUFFER: "64",
      QBSYNC_DESTINATION_SYNCED_TAG: "",
      QBSYNC_DESTINATION_HEALTH_ADDR: ":9000",
      QBSYNC_DESTINATION_LOG_LEVEL: "debug",
      QBSYNC_DESTINATION_DRY_RUN: "true",
    });
    expect(config).toMatchObject({
      listen: { host: "127.0.0.1", port: 6000 },
      savePath: "/seen",
      qbitUser: "admin",
      pollInterval: 5000,
      pollTimeout: 60_000,
      streamWorkers: 3,
      maxStreamBuffer: 64_000_000,
      syncedTag: "",
      healthAddr: { port: 9000 },
      logLevel: "debug",
      dryRun: true,
    });
    expect(config.qbitPass?.reveal()).toBe("secret");
  });

  test("have the conventional variables as fallbacks", async () => {
    expect(
      await run({ QBSYNC_DESTINATION_DATA: "/d", GRPC_PORT: "6001", HEALTH_PORT: "6002" }),
    ).toMatchObject({
      listen: { port: 6001 },
      healthAddr: { port: 6002 },
    });
    expect(await run({ QBSYNC_DESTINATION_DATA: "/d", PORT: "6003", HTTP_PORT: "6004" })).toMatchObject({
      listen: { port: 6003 },
      healthAddr: { port: 6004 },
    });
  });
});
