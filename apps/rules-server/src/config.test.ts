import { readCommandLine, Secret } from "@qbit-sidecars/config";
import { describe, expect, test } from "vitest";
import { settings } from "./config.ts";

/** The four tables of the seed: variable, flag, key, default. */
const seed = [
  ["QBT_RULES_SERVER_HOST", "--server-host", "server.host", "0.0.0.0"],
  ["QBT_RULES_SERVER_PORT", "--server-port", "server.port", "5000"],
  ["QBT_RULES_SERVER_API_KEY", "--server-api-key", "server.api_key", undefined],
  ["QBT_RULES_SERVER_WORKERS", "--server-workers", "server.workers", "1"],
  ["QBT_RULES_QUEUE_BACKEND", "--queue-backend", "queue.backend", "sqlite"],
  ["QBT_RULES_QUEUE_SQLITE_PATH", "--queue-sqlite-path", "queue.sqlite_path", "/config/qbt-rules.db"],
  ["QBT_RULES_QUEUE_REDIS_URL", "--queue-redis-url", "queue.redis_url", undefined],
  ["QBT_RULES_QUEUE_CLEANUP_AFTER", "--queue-cleanup-after", "queue.cleanup_after", "7d"],
  ["QBT_RULES_CLIENT_SERVER_URL", "--client-server-url", "client.server_url", "http://localhost:5000"],
  ["QBT_RULES_CLIENT_API_KEY", "--client-api-key", "client.api_key", undefined],
  ["QBT_RULES_QBITTORRENT_HOST", "--qbittorrent-host", "qbittorrent.host", "http://localhost:8080"],
  ["QBT_RULES_QBITTORRENT_USERNAME", "--qbittorrent-username", "qbittorrent.username", "admin"],
  ["QBT_RULES_QBITTORRENT_PASSWORD", "--qbittorrent-password", "qbittorrent.password", undefined],
  ["QBT_RULES_RULES_FILE", "--rules-file", "rules.file", "/config/rules.yml"],
  ["QBT_RULES_CONFIG_DIR", "--config-dir", "config.dir", "/config"],
  ["QBT_RULES_LOG_LEVEL", "--log-level", "logging.level", "info"],
  ["QBT_RULES_LOG_FILE", "--log-file", "logging.file", "/config/qbt-rules.log"],
] as const;

describe("the seed's settings", () => {
  test.each(seed)("%s is %s and %s, and is %s unless told", (variable, ...[flag, key, fallback]) => {
    const found = settings.declared.find(({ env }) => env[0] === variable);
    expect(found).toMatchObject({ flag, keys: expect.arrayContaining([key]) });
    const shown = found?.defaultText ?? (found?.default && found.kind.print(found.default.value)) ?? "";
    expect(shown.startsWith(fallback ?? "")).toBe(true);
  });

  test.each([
    "--serve",
    "--context",
    "--hash",
    "--wait",
    "--dry-run",
    "--trace",
    "--list-jobs",
    "--job-status",
    "--cancel-job",
    "--stats",
    "--validate",
    "--list-rules",
    "--status-filter",
    "--limit",
    "--json",
  ])("the flag %s exists", (flag) => {
    expect(settings.declared.map((each) => each.flag)).toContain(flag);
  });
});

const read = (argv: readonly string[], env: Record<string, string> = {}) =>
  readCommandLine(
    { name: "qbt-rules", version: "1", about: "", settings },
    {
      argv,
      env,
      readFile: async (path) =>
        path === "/secrets/port"
          ? { ok: true, text: "6000\n" }
          : { ok: false, missing: true, problem: "does not exist" },
    },
  );

describe("the settings together", () => {
  test("a server without a key does not start", async () => {
    const result = await read(["--serve"]);
    expect(result).toMatchObject({ kind: "exit", code: 2 });
    expect(result.kind === "exit" && result.stderr).toContain("--server-api-key (QBT_RULES_SERVER_API_KEY)");
  });

  test("a client needs none of the server's settings", async () => {
    await expect(read(["--stats"])).resolves.toMatchObject({ kind: "run" });
  });

  test("a queue in Redis needs its address", async () => {
    const result = await read(["--queue-backend", "redis"]);
    expect(result.kind === "exit" && result.stderr).toContain("redis://localhost:6379/0");
  });

  test("any setting can stand in a file", async () => {
    const result = await read([], { QBT_RULES_SERVER_PORT_FILE: "/secrets/port" });
    expect(result.kind === "run" && result.config.serverPort).toBe(6000);
  });
});

describe("each of the seed's settings", () => {
  const valuesOf: Readonly<Record<string, readonly string[]>> = {
    QBT_RULES_SERVER_PORT: ["5001", "5002", "5003", "5004"],
    QBT_RULES_SERVER_WORKERS: ["1", "2", "3", "4"],
    QBT_RULES_QUEUE_CLEANUP_AFTER: ["1d", "2d", "3d", "30 days"],
    QBT_RULES_LOG_LEVEL: ["DEBUG", "INFO", "WARNING", "ERROR"],
    QBT_RULES_QUEUE_REDIS_URL: ["redis://a:1", "redis://b:2", "redis://c:3", "redis://d:4"],
    QBT_RULES_CLIENT_SERVER_URL: ["http://a:1", "http://b:2", "http://c:3", "http://d:4"],
    QBT_RULES_QBITTORRENT_HOST: ["http://a:1", "http://b:2", "http://c:3", "http://d:4"],
    QBT_RULES_QUEUE_BACKEND: ["sqlite", "redis", "sqlite", "redis"],
  };

  /** Where what is said is kept otherwise. */
  const meant: Readonly<Record<string, string>> = {
    "1d": "86400000",
    "2d": "172800000",
    "3d": "259200000",
    "30 days": "2592000000",
    DEBUG: "debug",
    INFO: "info",
    WARNING: "warn",
    ERROR: "error",
  };

  test.each(seed)("%s: flag before _FILE before variable before config.yml", async (variable, flag, key) => {
    const [first = "", second = "", third = "", fourth = ""] = valuesOf[variable] ?? ["/a", "/b", "/c", "/d"];
    const files: Record<string, string> = {
      "/file": second,
      "config.yml": key.split(".").reduceRight((inner, each) => `{ ${each}: ${inner} }`, `"${fourth}"`),
    };
    const sourceWith = async (argv: readonly string[], env: Record<string, string>) => {
      const result = await readCommandLine(
        { name: "qbt-rules", version: "1", about: "", settings, configFile: { default: () => "config.yml" } },
        {
          argv,
          env:
            variable === "QBT_RULES_QUEUE_BACKEND"
              ? { QBT_RULES_QUEUE_REDIS_URL: "redis://x:1", ...env }
              : env,
          readFile: async (path) =>
            files[path] === undefined
              ? { ok: false, missing: true, problem: "does not exist" }
              : { ok: true, text: files[path] },
        },
      );
      if (result.kind !== "run") throw new Error(result.stderr);
      const name = settings.declared.find(({ env: [own] }) => own === variable)?.name;
      const found = result.effective.find((each) => each.name === name);
      const [, value] = Object.entries(result.config).find(([each]) => each === name) ?? [];
      const text = value instanceof Secret ? value.reveal() : value;
      return [typeof text === "number" ? text.toString() : text, found?.source];
    };
    const fromFile = { [`${variable}_FILE`]: "/file" };
    await expect(sourceWith([flag, first], fromFile)).resolves.toEqual([
      meant[first] ?? first,
      `flag ${flag}`,
    ]);
    await expect(sourceWith([], fromFile)).resolves.toEqual([
      meant[second] ?? second,
      `${variable}_FILE (/file)`,
    ]);
    await expect(sourceWith([], { [variable]: third })).resolves.toEqual([meant[third] ?? third, variable]);
    await expect(sourceWith([], {})).resolves.toEqual([
      meant[fourth] ?? fourth,
      `config.yml: ${key}, line 1`,
    ]);
  });
});
