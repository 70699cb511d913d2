import type { Address, DeclaredSetting } from "@qbit-sidecars/config";
import { QbitClient, QbitError, type QbitErrorKind } from "@qbit-sidecars/qbit-client";
import { openQbittorrent, type QbittorrentConfig } from "../qbittorrent.ts";
import { readCertificates } from "../read-certificates.ts";
import type { Service } from "../service.ts";
import { type DoctorCheck, type Finding, ok, problem, unknown } from "./check.ts";
import { compareClocks } from "./clock-skew.ts";
import { askHealth, isObject } from "./listeners.ts";

export type QbittorrentDoctorOptions = {
  readonly config: QbittorrentConfig;
  readonly service: Service;
  /** The app's, for the names of its variables. */
  readonly settings: { readonly declared: readonly DeclaredSetting[] };
  /** Where the running service tells of qBittorrent. */
  readonly health: Address;
  /** What goes wrong when the clocks differ; without it nobody cares. */
  readonly clockMatters?: string | undefined;
};

export type QbittorrentDoctor = {
  /** `qbittorrent`, `qbittorrent login` and, where it matters, `clock`. */
  readonly checks: readonly DoctorCheck[];
  /** Logged in once `qbittorrent login` is ok, and logged out in the end. For checks that come after that one. */
  readonly client: QbitClient;
};

/** The name of the check that others come after. */
export const loggedIn = "qbittorrent login";

/**
 * Whether qBittorrent is there and lets this program in.
 *
 * qBittorrent bans an address at the fifth login that it refused, and all programs of a host share that count. So the
 * first look shows no credentials; the second logs in once, and not at all where nobody need log in or where the running
 * service says that its own login was refused.
 */
export async function qbittorrentDoctor(options: QbittorrentDoctorOptions): Promise<QbittorrentDoctor> {
  const { config, service, clockMatters } = options;
  const client = await openQbittorrent(config, service);
  // Registered after the client, so done before it is closed.
  service.closers.defer(async function endSession() {
    await client.auth.logout({ timeoutMs: 2000 }).catch(() => undefined);
  });
  const names = namesOf(options.settings);
  let isOpenToAll = false;
  const checks: DoctorCheck[] = [
    {
      name: "qbittorrent",
      async look(signal) {
        using stranger = await strangerOf(config);
        const seen = await stranger.probe({ signal });
        isOpenToAll = seen.ok;
        if (seen.ok) return ok(`${seen.explanation} at ${config.qbitUrl}`);
        if (seen.error.kind === "auth") return ok(`it answers at ${config.qbitUrl}`);
        return explain(seen.error, names);
      },
    },
    {
      name: loggedIn,
      after: ["qbittorrent"],
      async look(signal) {
        if (isOpenToAll) return ok("it lets this address in without a login; none was tried");
        const refused = await refusalOfRunning(options, signal);
        if (refused !== undefined) {
          const seen = `the running ${service.name} says: ${refused} (no login was tried, lest it add to a ban)`;
          return problem(seen, todoOf("auth", names));
        }
        const seen = await client.probe({ signal });
        return seen.ok ? ok(seen.explanation.replace("answers", "lets us in")) : explain(seen.error, names);
      },
    },
  ];
  if (clockMatters !== undefined) checks.push(clockCheck(options, clockMatters));
  return { checks, client };
}

/** One that shows no credentials. */
async function strangerOf(config: QbittorrentConfig): Promise<QbitClient> {
  return new QbitClient({
    url: config.qbitUrl,
    auth: { kind: "none" },
    timeoutMs: config.qbitTimeout,
    ca: await readCertificates(config.qbitCaCertFile, "QBIT_CA_CERT_FILE"),
    insecureSkipVerify: config.qbitInsecureSkipVerify,
  });
}

function clockCheck({ config, service }: QbittorrentDoctorOptions, matters: string): DoctorCheck {
  return {
    name: "clock",
    after: ["qbittorrent"],
    async look(signal) {
      using stranger = await strangerOf(config);
      const askedMs = service.clock.now();
      const date = await stranger.date({ signal });
      return compareClocks({
        whose: "qBittorrent",
        theirs: date,
        askedMs,
        answeredMs: service.clock.now(),
        matters,
      });
    },
  };
}

/** What the running service says against its own login, if one runs here and does. */
async function refusalOfRunning(
  { service, health }: QbittorrentDoctorOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [who, live] = await Promise.all([
    askHealth(health, "/healthz", signal),
    askHealth(health, "/livez", signal),
  ]);
  if (who?.["name"] !== service.name || !isObject(live?.["dependencies"])) return undefined;
  const { qbittorrent } = live["dependencies"];
  if (!isObject(qbittorrent) || qbittorrent["ok"] !== false) return undefined;
  const detail = String(qbittorrent["detail"]);
  return /refused|refuses|banned|wants a login/.test(detail) ? detail : undefined;
}

type Names = { url: string; user: string; pass: string; apiKey: string; ca: string; timeout: string };

function namesOf({ declared }: QbittorrentDoctorOptions["settings"]): Names {
  const variable = (name: string) => declared.find((setting) => setting.name === name)?.env[0] ?? name;
  return {
    url: variable("qbitUrl"),
    user: variable("qbitUser"),
    pass: variable("qbitPass"),
    apiKey: variable("qbitApiKey"),
    ca: variable("qbitCaCertFile"),
    timeout: variable("qbitTimeout"),
  };
}

/** A failure in the words of the client, and what a person can do about it. */
function explain(error: QbitError, names: Names): Finding {
  const isBusy = "reason" in error && error.reason === "timeout";
  if (isBusy) return unknown(error.message, `see whether qBittorrent is busy, or raise ${names.timeout}`);
  return problem(error.message, todoOf(error.kind, names));
}

function todoOf(kind: QbitErrorKind, { url, user, pass, apiKey, ca }: Names): string {
  const todo: Partial<Record<QbitErrorKind, string>> = {
    unreachable: `see that qBittorrent runs and that ${url} is its Web UI as seen from here (in one pod or network: http://localhost:8080); for its certificate name the authority in ${ca}`,
    auth: `set or correct ${user} and ${pass}, or ${apiKey} (5.2 and later), before the next try: qBittorrent bans an address at the fifth refusal`,
    banned:
      "find the program with the wrong password on this address; the ban ends after an hour or with a restart of qBittorrent",
    rejected: `in qBittorrent, Options → Web UI: add the host of ${url} to the server domains, or switch Host header validation off`,
    redirect: `set ${url} to the address that it redirects to`,
  };
  return todo[kind] ?? `see that ${url} is the address of qBittorrent's Web UI`;
}
