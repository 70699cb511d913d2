import { type ConfigOf, declareSettings, setting } from "@qbit-sidecars/config";
import { engineSettings, redisNeedsUrl } from "@qbit-sidecars/rules-run/settings";

const server = "Server";
const client = "Client";
const asking = "What the client asks for";

/** Every setting of `qbt-rules`, server and client: the names of qbt-rules 0.4, then those of the family. */
export const settings = declareSettings(
  {
    serve: setting.toggle({
      key: false,
      default: false,
      group: server,
      about: "Be the server. Without it this is a client that asks one.",
    }),
    ...serverSettings(),
    ...clientSettings(),
    ...askingSettings(),
    ...engineSettings(),
    // runService wants one; probes are answered where the API is, and where HEALTH_ADDR says.
    healthAddr: setting.address({
      env: [],
      flag: false,
      key: false,
      default: ":5000",
      hidden: true,
      about: "Not used.",
    }),
  },
  [
    redisNeedsUrl,
    {
      of: ["serve", "worker", "queueBackend"],
      check: ({ serve, worker, queueBackend }) =>
        serve && worker === "off" && queueBackend === "sqlite"
          ? {
              wrong: "a queue in a file has no other process that could do its jobs",
              right: "worker on, or a queue in a Redis",
            }
          : undefined,
    },
    {
      of: ["serve", "serverApiKey"],
      check: ({ serve, serverApiKey }) =>
        serve && !serverApiKey?.reveal().trim()
          ? { wrong: "it is required", right: "one key or several, as from `openssl rand -hex 32`" }
          : undefined,
    },
  ],
);

export type Config = ConfigOf<typeof settings>;

/** What is asked for once belongs on a command line and in no file. */
function word(about: string) {
  return { key: false, group: asking, about } as const;
}

function serverSettings() {
  return {
    serverHost: setting.text({
      env: ["QBT_RULES_SERVER_HOST"],
      key: "server.host",
      default: "0.0.0.0",
      group: server,
      about: "Address to listen on.",
    }),
    serverPort: setting.port({
      env: ["QBT_RULES_SERVER_PORT"],
      key: "server.port",
      default: 5000,
      group: server,
      about: "Port to listen on: API, page, health and metrics.",
    }),
    serverApiKey: setting.secret({
      flag: "--server-api-key",
      env: ["QBT_RULES_SERVER_API_KEY"],
      key: "server.api_key",
      group: server,
      about:
        "The key clients must show; several, by commas or lines, while they change. Its _FILE is read again without a restart.",
    }),
    serverWorkers: setting.integer({
      env: ["QBT_RULES_SERVER_WORKERS"],
      key: "server.workers",
      default: 1,
      min: 1,
      max: 64,
      group: server,
      about:
        "Kept from qbt-rules 0.4. One process answers, and there is never more than one run of the rules.",
    }),
    worker: setting.choice({
      env: ["QBT_RULES_WORKER"],
      key: "server.worker",
      values: ["on", "off"],
      default: "on",
      group: server,
      about: "Whether this server does the jobs itself; off where rules-worker does, which takes a Redis.",
    }),
    settleDelay: setting.duration({
      env: ["QBT_RULES_SETTLE_DELAY"],
      key: "server.settle_delay",
      unit: "s",
      default: "0s",
      max: "10m",
      group: server,
      about:
        "How long a job about one torrent waits before it runs, where other programs are still busy with it.",
    }),
    hangTimeout: setting.duration({
      env: ["QBT_RULES_HANG_TIMEOUT"],
      key: "server.hang_timeout",
      unit: "s",
      default: "15m",
      min: "10s",
      group: server,
      about: "How long one run of the rules may take before it is given up and reported.",
    }),
    gracePeriod: setting.duration({
      env: ["QBT_RULES_GRACE_PERIOD"],
      key: "server.grace_period",
      unit: "s",
      default: "25s",
      min: "1s",
      group: server,
      about: "How long stopping may take; a job that is not over by then goes back to the queue.",
    }),
    probeAddr: setting.address({
      flag: "--health-addr",
      env: ["HEALTH_ADDR"],
      key: "health_addr",
      group: server,
      about: "A listener of its own for /healthz, /livez, /readyz and /metrics, beside that of the API.",
    }),
  };
}

function clientSettings() {
  return {
    clientServerUrl: setting.url({
      env: ["QBT_RULES_CLIENT_SERVER_URL"],
      key: "client.server_url",
      defaultText: "http://localhost:5000, or whichever port the server is told",
      group: client,
      about: "The server to ask.",
    }),
    clientApiKey: setting.secret({
      flag: "--client-api-key",
      env: ["QBT_RULES_CLIENT_API_KEY"],
      key: "client.api_key",
      defaultText: "the server's, where it is known here",
      group: client,
      about: "The key to show it.",
    }),
    clientTimeout: setting.duration({
      env: ["QBT_RULES_CLIENT_TIMEOUT"],
      key: "client.timeout",
      unit: "s",
      default: "30s",
      min: "100ms",
      group: client,
      about: "How long the server may take for one answer.",
    }),
  };
}

function askingSettings() {
  return {
    context: setting.text(word("Run the rules of this context; without it, those that have none.")),
    hash: setting.text(word("Only this torrent: its infohash or id.")),
    wait: setting.toggle({
      ...word("Wait until the job is over, and tell what came of it."),
      default: false,
    }),
    waitTimeout: setting.duration({
      ...word("How long to wait."),
      unit: "s",
      default: "5m",
      min: "1s",
    }),
    trace: setting.toggle({ ...word("Have every condition's answer kept with the job."), default: false }),
    listJobs: setting.toggle({ ...word("List jobs, newest first."), default: false }),
    statusFilter: setting.choice({
      ...word("Only jobs in this state."),
      values: ["pending", "processing", "completed", "failed", "cancelled"],
    }),
    limit: setting.integer({ ...word("How many jobs to list."), default: 20, min: 1 }),
    offset: setting.integer({ ...word("How many of them to leave out first."), default: 0, min: 0 }),
    jobStatus: setting.text(word("Tell of the job with this id.")),
    cancelJob: setting.text(word("Cancel the pending job with this id.")),
    stats: setting.toggle({ ...word("Tell how the server does."), default: false }),
    validate: setting.toggle({
      ...word("Check the rules file, with the place of every mistake."),
      default: false,
    }),
    listRules: setting.toggle({ ...word("List the rules of the rules file."), default: false }),
    json: setting.toggle({ ...word("Answer in JSON, for scripts."), default: false }),
  };
}
