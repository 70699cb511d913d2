import { describe, expect, test } from "vitest";
import { declareSettings } from "./declare-settings.ts";
import { programOf } from "./program-under-test.ts";
import { qbitSettings } from "./qbit-settings.ts";
import { setting } from "./setting.ts";

// The settings of the services as their users know them: that each can be declared is what this package is for.

const about = "X.";

describe("qbsync", () => {
  const source = programOf(
    {
      ...qbitSettings({
        url: { flag: "--qb-url", env: ["QBSYNC_SOURCE_QB_URL"], required: true },
        user: { flag: "--qb-username", env: ["QBSYNC_SOURCE_QB_USERNAME"] },
        pass: { flag: "--qb-password", env: ["QBSYNC_SOURCE_QB_PASSWORD"] },
      }),
      data: setting.path({ env: ["QBSYNC_SOURCE_DATA"], required: true, about }),
      destinationAddr: setting.address({
        env: ["QBSYNC_SOURCE_DESTINATION_ADDR"],
        hostRequired: true,
        required: true,
        about,
      }),
      minSpace: setting.size({ env: ["QBSYNC_SOURCE_MIN_SPACE"], unit: "GB", default: "50", about }),
      minSeedingTime: setting.duration({
        env: ["QBSYNC_SOURCE_MIN_SEEDING_TIME"],
        unit: "s",
        default: "3600",
        about,
      }),
      rateLimit: setting.size({ env: ["QBSYNC_SOURCE_RATE_LIMIT"], unit: "B", default: 0, about }),
      numSenders: setting.integer({ env: ["QBSYNC_SOURCE_NUM_SENDERS"], min: 1, default: 4, about }),
      syncedTag: setting.text({
        env: ["QBSYNC_SOURCE_SYNCED_TAG"],
        emptyIs: "value",
        default: "synced",
        about,
      }),
      excludeCleanupTag: setting.text({
        env: ["QBSYNC_SOURCE_EXCLUDE_CLEANUP_TAG"],
        emptyIs: "value",
        default: "",
        about,
      }),
      drainAnnotation: setting.text({
        env: ["QBSYNC_SOURCE_DRAIN_ANNOTATION"],
        emptyIs: "value",
        default: "qbsync/drain",
        about,
      }),
      drainTimeout: setting.duration({
        env: ["QBSYNC_SOURCE_DRAIN_TIMEOUT"],
        unit: "s",
        default: "300",
        about,
      }),
      healthAddr: setting.address({
        env: ["QBSYNC_SOURCE_HEALTH_ADDR", "HEALTH_ADDR", "HTTP_PORT", "HEALTH_PORT"],
        default: ":8080",
        about,
      }),
      logLevel: setting.logLevel({ env: ["QBSYNC_SOURCE_LOG_LEVEL", "LOG_LEVEL"], default: "info", about }),
      dryRun: setting.toggle({ env: ["QBSYNC_SOURCE_DRY_RUN"], default: false, about }),
    },
    { ignoredWords: ["source"] },
  );

  test("the source takes the arguments of its Pod and the variables of its Compose file", async () => {
    const { config, warnings } = await source.run({
      argv: ["source", "--drain-annotation=qbsync/drain", "--drain-timeout=480"],
      env: {
        QBSYNC_SOURCE_DATA: "/downloads",
        QBSYNC_SOURCE_QB_URL: "http://qbittorrent-source:8080",
        QBSYNC_SOURCE_DESTINATION_ADDR: "qbsync-destination:50051",
        QBSYNC_SOURCE_SYNCED_TAG: "",
        HEALTH_PORT: "9090",
      },
    });
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      data: "/downloads",
      destinationAddr: { host: "qbsync-destination", port: 50_051 },
      minSpace: 50_000_000_000,
      minSeedingTime: 3_600_000,
      drainTimeout: 480_000,
      syncedTag: "",
      excludeCleanupTag: "",
      healthAddr: { host: undefined, port: 9090 },
      dryRun: false,
    });
  });

  const destination = programOf({
    listen: setting.address({
      env: ["QBSYNC_DESTINATION_LISTEN", "GRPC_PORT", "PORT"],
      default: ":50051",
      about,
    }),
    savePath: setting.path({ env: ["QBSYNC_DESTINATION_SAVE_PATH"], defaultText: "same as `--data`", about }),
    maxStreamBuffer: setting.size({
      env: ["QBSYNC_DESTINATION_MAX_STREAM_BUFFER"],
      unit: "MB",
      default: "512",
      about,
    }),
  });

  test("the destination listens where PORT says, and not where a Service of that name is", async () => {
    expect((await destination.run({ env: { PORT: "6000" } })).config.listen.port).toBe(6000);
    expect((await destination.run({ env: { PORT: "tcp://10.0.0.9:50051" } })).config.listen.port).toBe(
      50_051,
    );
  });
});

describe("qbt-rules", () => {
  const server = programOf(
    {
      ...qbitSettings({
        url: {
          flag: "--qbittorrent-host",
          env: ["QBT_RULES_QBITTORRENT_HOST"],
          key: "qbittorrent.host",
          default: "http://localhost:8080",
        },
        user: {
          flag: "--qbittorrent-username",
          env: ["QBT_RULES_QBITTORRENT_USERNAME"],
          key: ["qbittorrent.username", "qbittorrent.user"],
          default: "admin",
        },
        pass: {
          flag: "--qbittorrent-password",
          env: ["QBT_RULES_QBITTORRENT_PASSWORD"],
          key: ["qbittorrent.password", "qbittorrent.pass"],
        },
      }),
      serverHost: setting.text({
        env: ["QBT_RULES_SERVER_HOST"],
        key: "server.host",
        default: "0.0.0.0",
        about,
      }),
      serverPort: setting.port({ env: ["QBT_RULES_SERVER_PORT"], key: "server.port", default: 5000, about }),
      serverApiKey: setting.secret({
        flag: "--server-api-key",
        env: ["QBT_RULES_SERVER_API_KEY"],
        key: "server.api_key",
        about,
      }),
      serverWorkers: setting.integer({
        env: ["QBT_RULES_SERVER_WORKERS"],
        key: "server.workers",
        default: 1,
        about,
      }),
      queueBackend: setting.choice({
        env: ["QBT_RULES_QUEUE_BACKEND"],
        key: "queue.backend",
        values: ["sqlite", "redis"],
        default: "sqlite",
        about,
      }),
      queueSqlitePath: setting.path({
        env: ["QBT_RULES_QUEUE_SQLITE_PATH"],
        key: "queue.sqlite_path",
        default: "/config/qbt-rules.db",
        about,
      }),
      queueRedisUrl: setting.url({
        env: ["QBT_RULES_QUEUE_REDIS_URL"],
        key: "queue.redis_url",
        schemes: ["redis", "rediss"],
        about,
      }),
      queueCleanupAfter: setting.duration({
        env: ["QBT_RULES_QUEUE_CLEANUP_AFTER"],
        key: "queue.cleanup_after",
        unit: "d",
        default: "7d",
        about,
      }),
      clientServerUrl: setting.url({
        env: ["QBT_RULES_CLIENT_SERVER_URL"],
        key: "client.server_url",
        default: "http://localhost:5000",
        about,
      }),
      clientApiKey: setting.secret({
        flag: "--client-api-key",
        env: ["QBT_RULES_CLIENT_API_KEY"],
        key: "client.api_key",
        about,
      }),
      rulesFile: setting.path({
        env: ["QBT_RULES_RULES_FILE"],
        key: "rules.file",
        default: "/config/rules.yml",
        about,
      }),
      configDir: setting.path({
        env: ["QBT_RULES_CONFIG_DIR"],
        key: "config.dir",
        default: "/config",
        about,
      }),
      logLevel: setting.logLevel({
        env: ["QBT_RULES_LOG_LEVEL"],
        key: "logging.level",
        default: "INFO",
        about,
      }),
      logFile: setting.path({
        env: ["QBT_RULES_LOG_FILE"],
        key: "logging.file",
        default: "/config/qbt-rules.log",
        about,
      }),
      context: setting.text({ key: false, about }),
      wait: setting.toggle({ key: false, default: false, about }),
      jobStatus: setting.text({ key: false, about }),
    },
    { configFile: { default: ({ configDir }) => `${configDir}/config.yml` } },
  );

  const configYml = `
server:
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

  test("the documented config.yml is read from the config folder", async () => {
    const { config, sources } = await server.run({
      env: { QBT_RULES_CONFIG_DIR: "/etc/qbt" },
      files: { "/etc/qbt/config.yml": configYml },
    });
    expect(config).toMatchObject({
      qbitUrl: "http://qbittorrent:8080",
      queueRedisUrl: "redis://localhost:6379/0",
      queueCleanupAfter: 604_800_000,
      logLevel: "info",
    });
    expect(config.serverApiKey?.reveal()).toBe("your-secure-api-key-here");
    expect(sources["qbitPass"]).toBe("/etc/qbt/config.yml: qbittorrent.password, line 21");
  });

  test("its order: flag, _FILE, variable, config.yml, default", async () => {
    const { config } = await server.run({
      argv: ["--server-port", "1"],
      env: {
        QBT_RULES_SERVER_PORT: "2",
        QBT_RULES_SERVER_WORKERS_FILE: "/secrets/workers",
        QBT_RULES_SERVER_HOST: "::",
      },
      files: { "/config/config.yml": configYml, "/secrets/workers": "3\n" },
    });
    expect(config).toMatchObject({ serverPort: 1, serverWorkers: 3, serverHost: "::" });
  });

  test("QBT_RULES_RULES_FILE and QBT_RULES_LOG_FILE are paths", async () => {
    const { config } = await server.run({
      env: { QBT_RULES_RULES_FILE: "/r.yml", QBT_RULES_LOG_FILE: "/l.log" },
    });
    expect(config).toMatchObject({ rulesFile: "/r.yml", logFile: "/l.log" });
  });

  test("its client flags work", async () => {
    const { config } = await server.run({
      argv: ["--job-status", "550e8400", "--wait", "--context", "scheduled"],
    });
    expect(config).toMatchObject({ jobStatus: "550e8400", wait: true, context: "scheduled" });
  });
});

describe("pia-forwarder", () => {
  const settings = declareSettings(
    {
      ...qbitSettings({
        url: { env: ["QBITTORRENT_HOST"], default: "http://localhost:8080" },
        user: { env: ["QBITTORRENT_USERNAME"] },
        pass: { env: ["QBITTORRENT_PASSWORD"] },
      }),
      piaUsername: setting.text({ env: ["PIA_USERNAME"], about }),
      piaPassword: setting.secret({ env: ["PIA_PASSWORD"], about }),
      piaTokenFile: setting.path({ env: ["PIA_TOKEN_FILE"], about }),
      piaGateway: setting.text({ env: ["PIA_GATEWAY"], default: "10.0.0.1", about }),
      piaCaCert: setting.path({ env: ["PIA_CA_CERT"], about }),
      checkInterval: setting.duration({ env: ["CHECK_INTERVAL"], unit: "s", default: "300s", about }),
    },
    [
      {
        of: ["piaUsername", "piaPassword", "piaTokenFile"],
        check: ({ piaUsername, piaPassword, piaTokenFile }) =>
          piaTokenFile !== undefined || (piaUsername !== undefined && piaPassword !== undefined)
            ? undefined
            : { wrong: "nothing to log in with", right: "user name and password, or a token file" },
      },
    ],
  );
  const forwarder = programOf(settings);

  test.each([
    [{ PIA_USERNAME: "p1234567", PIA_PASSWORD: "x" }],
    [{ PIA_USERNAME: "p1234567", PIA_PASSWORD_FILE: "/secrets/pia" }],
    [{ PIA_TOKEN_FILE: "/var/run/pia_token" }],
  ])("starts with %j", async (env) => {
    const { config } = await forwarder.run({ env, files: { "/secrets/pia": "x\n" } });
    expect(config.piaGateway).toBe("10.0.0.1");
  });

  test("says what it needs to log in", async () => {
    const { stderr } = await forwarder.exit({ env: { PIA_USERNAME: "p1234567" } });
    expect(stderr).toContain(`
  --pia-username (PIA_USERNAME) and PIA_PASSWORD and --pia-token-file (PIA_TOKEN_FILE)
    from:  PIA_USERNAME and not set
    wrong: nothing to log in with
    right: user name and password, or a token file
`);
  });
});

test("ntfy-sidecar refuses to start without the variables it needs", async () => {
  const sidecar = programOf({
    ...qbitSettings({ url: { env: ["QBIT_HOST"], default: "http://localhost:8080" } }),
    ntfyTopic: setting.url({ env: ["NTFY_TOPIC"], required: true, about }),
  });
  const { code, stderr } = await sidecar.exit();
  expect(code).toBe(2);
  expect(stderr).toContain(
    "--ntfy-topic (NTFY_TOPIC)\n    from:  not set anywhere\n    wrong: it is required\n",
  );
  const { config } = await sidecar.run({
    env: { QBIT_HOST: "http://localhost:8080", NTFY_TOPIC: "https://ntfy.example.org/downloads" },
  });
  expect(config.ntfyTopic).toBe("https://ntfy.example.org/downloads");
});
