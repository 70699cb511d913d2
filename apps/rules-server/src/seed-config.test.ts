import { readCommandLine } from "@qbit-sidecars/config";
import { expect, test } from "vitest";
import { settings } from "./config.ts";

/** The example of qbt-rules' own plan, byte for byte. */
const seedConfig = `server:
  host: 0.0.0.0
  port: 5000
  api_key: your-secure-api-key-here
  workers: 1

queue:
  backend: sqlite  # sqlite or redis
  sqlite_path: /config/qbt-rules.db
  redis_url: redis://localhost:6379/0
  cleanup_after: 7d  # Keep completed jobs for 7 days

client:
  server_url: http://localhost:5000
  api_key: your-secure-api-key-here

qbittorrent:
  host: http://qbittorrent:8080
  username: admin
  password: adminpass

rules:
  file: /config/rules.yml

logging:
  level: INFO
  file: /config/qbt-rules.log
`;

test("the config.yml of qbt-rules' plan is read as it stands, and means what its comments say", async () => {
  const read = await readCommandLine(
    { name: "qbt-rules", version: "0", about: "", settings, configFile: { env: ["QBT_RULES_CONFIG_FILE"] } },
    {
      argv: ["--serve", "--config-file", "config.yml"],
      env: {},
      readFile: async () => ({ ok: true, text: seedConfig }),
    },
  );
  if (read.kind !== "run") throw new Error(read.stderr);
  const { config, warnings } = read;
  expect(warnings).toEqual([]);
  expect(config).toMatchObject({
    serverHost: "0.0.0.0",
    serverPort: 5000,
    serverWorkers: 1,
    queueBackend: "sqlite",
    queueSqlitePath: "/config/qbt-rules.db",
    queueCleanupAfter: 7 * 86_400_000,
    clientServerUrl: "http://localhost:5000",
    qbitUrl: "http://qbittorrent:8080",
    qbitUser: "admin",
    rulesFile: "/config/rules.yml",
    logLevel: "info",
    logFile: "/config/qbt-rules.log",
  });
  expect(config.queueRedisUrl).toBe("redis://localhost:6379/0");
  expect(config.serverApiKey?.reveal()).toBe("your-secure-api-key-here");
  expect(config.clientApiKey?.reveal()).toBe("your-secure-api-key-here");
  expect(config.qbitPass?.reveal()).toBe("adminpass");
});
