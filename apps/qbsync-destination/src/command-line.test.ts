import { readCommandLine } from "@qbit-sidecars/config";
import { describe, expect, test } from "vitest";
import { settings } from "./config.ts";
import { splitTokens } from "./who-may-send.ts";

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

  test.each([
    ["GRPC_PORT", "listen", 50_051],
    ["PORT", "listen", 50_051],
    ["HTTP_PORT", "healthAddr", 8080],
    ["HEALTH_PORT", "healthAddr", 8080],
  ] as const)(
    "leave %s=tcp://… alone, which Kubernetes sets for a Service of that name",
    async (...[name, key, port]) => {
      const config = await run({ QBSYNC_DESTINATION_DATA: "/d", [name]: "tcp://10.0.0.1:6000" });
      expect(config[key]).toEqual({ host: undefined, port });
    },
  );

  test("win over the conventional ones", async () => {
    const env = { QBSYNC_DESTINATION_DATA: "/d", QBSYNC_DESTINATION_LISTEN: ":1", GRPC_PORT: "2", PORT: "3" };
    expect((await run(env)).listen.port).toBe(1);
    expect((await run({ QBSYNC_DESTINATION_DATA: "/d", GRPC_PORT: "2", PORT: "3" })).listen.port).toBe(2);
    expect((await run({ QBSYNC_DESTINATION_DATA: "/d", PORT: "127.0.0.1:3" })).listen).toEqual({
      host: "127.0.0.1",
      port: 3,
    });
  });
});

describe("who may send", () => {
  test("is told by variables and flags; several tokens stand in one text", async () => {
    const both = "0123456789abcdef, fedcba9876543210\n";
    const files = { tlsCertFile: "/c", tlsKeyFile: "/k", tlsClientCaFile: "/a" };
    const flags = ["--tls-cert-file=/c", "--tls-key-file=/k", "--tls-client-ca-file=/a", `--token=${both}`];
    const variables = {
      QBSYNC_DESTINATION_TLS_CERT_FILE: "/c",
      QBSYNC_DESTINATION_TLS_KEY_FILE: "/k",
      QBSYNC_DESTINATION_TLS_CLIENT_CA_FILE: "/a",
      QBSYNC_DESTINATION_TOKEN: both,
    };
    const data = { QBSYNC_DESTINATION_DATA: "/d" };
    for (const config of [await run(data, flags), await run({ ...data, ...variables })]) {
      expect(config).toMatchObject(files);
      expect(splitTokens(config.token?.reveal() ?? "")).toEqual(["0123456789abcdef", "fedcba9876543210"]);
    }
  });
});
