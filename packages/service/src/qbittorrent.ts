import type { qbitSettings } from "@qbit-sidecars/config";
import { type Auth, chooseAuth, QbitClient } from "@qbit-sidecars/qbit-client";
import type { Check } from "./health.ts";
import { readCertificates } from "./read-certificates.ts";
import type { Loop } from "./reconcile-loop.ts";
import type { Service } from "./service.ts";

type ValueOf<S> = S extends { readonly valueType?: infer V } ? V : never;

/** What {@link qbitSettings} becomes in a program's config. */
export type QbittorrentConfig = {
  readonly [Name in keyof ReturnType<typeof qbitSettings>]: ValueOf<ReturnType<typeof qbitSettings>[Name]>;
} & { readonly qbitUrl: string };

export type OpenQbittorrentOptions = {
  /** Where a run that ends by itself keeps refused logins for the next one; a resident service needs none. */
  refusedLogins?: string | undefined;
};

/**
 * The client that the settings of {@link qbitSettings} describe, closed when the service ends. Password and key are
 * read again from their files at each login.
 *
 * @throws SettingFault when QBIT_CA_CERT_FILE cannot be used
 */
export async function openQbittorrent(
  config: QbittorrentConfig,
  { clock, log, closers }: Pick<Service, "clock" | "log" | "closers">,
  { refusedLogins: path }: OpenQbittorrentOptions = {},
): Promise<QbitClient> {
  const refused = path === undefined ? undefined : closers.use(await refusedLogins(path, () => clock.now()));
  return closers.use(
    new QbitClient({
      url: config.qbitUrl,
      async auth() {
        const auth = await currentAuth(config);
        await refused?.check(auth);
        return auth;
      },
      timeoutMs: config.qbitTimeout,
      ca: await readCertificates(config.qbitCaCertFile, "QBIT_CA_CERT_FILE"),
      insecureSkipVerify: config.qbitInsecureSkipVerify,
      clock,
      onEvent(event) {
        refused?.hear(event);
        const { type, ...details } = event;
        log.debug(details, `qBittorrent: ${type}`);
      },
    }),
  );
}

/** Loaded only where it is needed. */
async function refusedLogins(path: string, now: () => number) {
  const { RefusedLogins } = await import("./refused-logins.ts");
  return new RefusedLogins(path, now);
}

async function currentAuth({ qbitUser, qbitPass, qbitApiKey }: QbittorrentConfig): Promise<Auth> {
  const [apiKey, password] = await Promise.all([qbitApiKey?.current(), qbitPass?.current()]);
  return chooseAuth({ apiKey, username: qbitUser, password });
}

/** For `health.dependency`: whether qBittorrent answered when the loop last asked it. */
export function qbittorrentCheck({ qbitUrl }: Pick<QbittorrentConfig, "qbitUrl">, loop: Loop): Check {
  return () => {
    const { failures, reason } = loop.status();
    return { ok: failures === 0, detail: failures === 0 ? `answers at ${qbitUrl}` : reason };
  };
}
