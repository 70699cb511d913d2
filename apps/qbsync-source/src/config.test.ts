import { readCommandLine } from "@qbit-sidecars/config";
import { expect, test } from "vitest";
import { settings } from "./config.ts";

const program = { name: "qbsync-source", version: "0", about: "", settings, ignoredWords: ["source"] };
const required = {
  QBSYNC_SOURCE_DATA: "/downloads",
  QBSYNC_SOURCE_QB_URL: "http://qbittorrent-source:8080",
  QBSYNC_SOURCE_DESTINATION_ADDR: "qbsync-destination:50051",
};

async function configOf(env: Record<string, string>, argv: readonly string[] = []) {
  const read = await readCommandLine(program, { argv, env });
  if (read.kind === "exit") throw new Error(read.stderr);
  return read.config;
}

/** The table of seed 002, and the two settings it omits. */
const table = [
  ["data", "DATA", "--data", "/x", "/x"],
  ["qbitUrl", "QB_URL", "--qb-url", "http://a:1", "http://a:1"],
  ["qbitUser", "QB_USERNAME", "--qb-username", "me", "me"],
  [
    "destinationAddr",
    "DESTINATION_ADDR",
    "--destination-addr",
    "192.168.1.100:50051",
    { host: "192.168.1.100", port: 50_051 },
  ],
  ["minSpace", "MIN_SPACE", "--min-space", "7", 7e9],
  ["minSeedingTime", "MIN_SEEDING_TIME", "--min-seeding-time", "60", 60_000],
  ["sleep", "SLEEP", "--sleep", "5", 5000],
  ["rateLimit", "RATE_LIMIT", "--rate-limit", "1000000", 1e6],
  ["pieceTimeout", "PIECE_TIMEOUT", "--piece-timeout", "10", 10_000],
  ["reconnectMaxDelay", "RECONNECT_MAX_DELAY", "--reconnect-max-delay", "3", 3000],
  ["numSenders", "NUM_SENDERS", "--num-senders", "9", 9],
  ["minConnections", "MIN_CONNECTIONS", "--min-connections", "3", 3],
  ["maxConnections", "MAX_CONNECTIONS", "--max-connections", "12", 12],
  ["syncedTag", "SYNCED_TAG", "--synced-tag", "done", "done"],
  ["sourceRemovedTag", "SOURCE_REMOVED_TAG", "--source-removed-tag", "gone", "gone"],
  ["excludeCleanupTag", "EXCLUDE_CLEANUP_TAG", "--exclude-cleanup-tag", "keep", "keep"],
  ["drainAnnotation", "DRAIN_ANNOTATION", "--drain-annotation", "a/b", "a/b"],
  ["drainTimeout", "DRAIN_TIMEOUT", "--drain-timeout", "480", 480_000],
  ["healthAddr", "HEALTH_ADDR", "--health-addr", ":9106", { host: undefined, port: 9106 }],
  ["logLevel", "LOG_LEVEL", "--log-level", "debug", "debug"],
  ["dryRun", "DRY_RUN", "--dry-run", "true", true],
  ["tls", "TLS", "--tls", "true", true],
  ["tlsCaFile", "TLS_CA_FILE", "--tls-ca-file", "/ca", "/ca"],
  ["syncFailedTag", "SYNC_FAILED_TAG", "--sync-failed-tag", "bad", "bad"],
  ["excludeSyncTag", "EXCLUDE_SYNC_TAG", "--exclude-sync-tag", "no", "no"],
] as const;

test.each(table)("%s is QBSYNC_SOURCE_%s and %s", async (...[name, variable, flag, text, value]) => {
  expect((await configOf({ ...required, [`QBSYNC_SOURCE_${variable}`]: text }))[name]).toEqual(value);
  expect((await configOf(required, [`${flag}=${text}`]))[name]).toEqual(value);
});

test("the password is a variable, a file and a flag", async () => {
  const byVariable = await configOf({ ...required, QBSYNC_SOURCE_QB_PASSWORD: "s" });
  const byFlag = await configOf(required, ["--qb-password", "s"]);
  expect([byVariable.qbitPass?.reveal(), byFlag.qbitPass?.reveal()]).toEqual(["s", "s"]);
});

test("with nothing but what is required, the defaults are the seed's", async () => {
  expect(await configOf(required, ["source"])).toMatchObject({
    minSpace: 50e9,
    minSeedingTime: 3_600_000,
    sleep: 30_000,
    rateLimit: 0,
    pieceTimeout: 60_000,
    reconnectMaxDelay: 30_000,
    numSenders: 4,
    minConnections: 2,
    maxConnections: 8,
    syncedTag: "synced",
    sourceRemovedTag: "source-removed",
    excludeCleanupTag: "",
    drainAnnotation: "qbsync/drain",
    drainTimeout: 300_000,
    healthAddr: { host: undefined, port: 8080 },
    logLevel: "info",
    dryRun: false,
    syncFailedTag: "sync-failed",
    excludeSyncTag: "",
  });
});

test.each([
  ["HTTP_PORT", "8081"],
  ["HEALTH_PORT", "8082"],
])("%s is another way to say where health is served", async (variable, port) => {
  expect(await configOf({ ...required, [variable]: port })).toMatchObject({
    healthAddr: { host: undefined, port: Number(port) },
  });
});

test("the token and the files of TLS are variables, files and flags", async () => {
  const flags = [
    "--token=0123456789abcdef",
    "--tls-cert-file=/c",
    "--tls-key-file=/k",
    "--tls-server-name=nas",
  ];
  const variables = {
    QBSYNC_SOURCE_TOKEN: "0123456789abcdef",
    QBSYNC_SOURCE_TLS_CERT_FILE: "/c",
    QBSYNC_SOURCE_TLS_KEY_FILE: "/k",
    QBSYNC_SOURCE_TLS_SERVER_NAME: "nas",
  };
  for (const config of [await configOf(required, flags), await configOf({ ...required, ...variables })]) {
    expect(config).toMatchObject({ tlsCertFile: "/c", tlsKeyFile: "/k", tlsServerName: "nas" });
    expect(config.token?.reveal()).toBe("0123456789abcdef");
  }
});

test.each([
  ["QBSYNC_SOURCE_TOKEN", "too-short", "16 or more characters"],
  ["QBSYNC_SOURCE_TOKEN", "two tokens of a good length", "without spaces"],
  ["QBSYNC_SOURCE_TLS_CERT_FILE", "/c", "a certificate and its key"],
  ["QBSYNC_SOURCE_TLS_SERVER_NAME", "nas", "a server name without TLS"],
])("%s=%s is refused in words", async (variable, text, words) => {
  const failure = configOf({ ...required, [variable]: text });
  await expect(failure).rejects.toThrow(words);
  await expect(failure).rejects.not.toThrow("too-short");
});

test.each(["HTTP_PORT", "HEALTH_PORT"])(
  "%s=tcp://…, as Kubernetes sets it for a Service, is left alone",
  async (name) => {
    expect(await configOf({ ...required, [name]: "tcp://10.0.0.1:8080" })).toMatchObject({
      healthAddr: { host: undefined, port: 8080 },
    });
  },
);

test("an empty tag or annotation is none", async () => {
  const empty = ["SYNCED_TAG", "SYNC_FAILED_TAG", "DRAIN_ANNOTATION"].map((name) => [
    `QBSYNC_SOURCE_${name}`,
    "",
  ]);
  expect(await configOf({ ...required, ...Object.fromEntries(empty) })).toMatchObject({
    syncedTag: "",
    syncFailedTag: "",
    drainAnnotation: "",
  });
});

test("more connections at least than at most is refused in words", async () => {
  await expect(configOf({ ...required, QBSYNC_SOURCE_MIN_CONNECTIONS: "9" })).rejects.toThrow(
    "9 connections at least are more than 8 at most",
  );
});
