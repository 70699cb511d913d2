import { formatAddress } from "@qbit-sidecars/config";
import type { ConnectOptions } from "@qbit-sidecars/qbsync-protocol";
import { KeyFiles, type Metrics, type Service } from "@qbit-sidecars/service";
import type { Config } from "./config.ts";
import { hintFor } from "./unreachable-hint.ts";

type SecurityConfig = Pick<
  Config,
  "destinationAddr" | "token" | "tls" | "tlsCaFile" | "tlsCertFile" | "tlsKeyFile" | "tlsServerName"
>;

/** How the destination is made sure of, and what is shown to it. */
export type Credentials = {
  /** For one connection: files are looked at again, so that what was renewed is used by the next one. */
  forDialling(): Promise<Pick<ConnectOptions, "tls" | "token">>;
  /** What the settings leave open, for the log. */
  readonly warning: string | undefined;
  /** What to do about a connection that failed with these words; undefined where they say enough. */
  hint: (failure: string) => string | undefined;
};

/**
 * What the settings say of it.
 *
 * @throws SettingFault when a file cannot be used
 */
export async function openCredentials(
  config: SecurityConfig,
  { log, clock, metrics }: Pick<Service, "log" | "clock" | "metrics">,
): Promise<Credentials> {
  const { token, tlsServerName: serverName } = config;
  const isTls = speaksTls(config);
  const keys = await KeyFiles.open({
    files: {
      ca: { path: config.tlsCaFile, setting: "--tls-ca-file" },
      cert: { path: config.tlsCertFile, setting: "--tls-cert-file" },
      key: { path: config.tlsKeyFile, setting: "--tls-key-file" },
    },
    log,
    now: () => clock.now(),
  });
  if (config.tlsCertFile !== undefined) measureExpiry(metrics, keys);
  return {
    warning: warningOf(config),
    async forDialling() {
      const { ca, cert, key } = await keys.current();
      return {
        tls: isTls ? { ca, cert, key, serverName } : undefined,
        token: token && (async () => (await token.current()).trim()),
      };
    },
    hint: (failure) => hintFor(failure, { isTls, serverName: serverName ?? config.destinationAddr.host }),
  };
}

/** TLS is asked for by itself, or by any of its files. */
const speaksTls = ({
  tls,
  tlsCaFile,
  tlsCertFile,
}: Pick<Config, "tls" | "tlsCaFile" | "tlsCertFile">): boolean =>
  tls || tlsCaFile !== undefined || tlsCertFile !== undefined;

function warningOf(config: SecurityConfig): string | undefined {
  const { token, tlsCertFile, destinationAddr } = config;
  const address = formatAddress(destinationAddr);
  if (token === undefined && tlsCertFile === undefined)
    return `nothing is shown to ${address} that tells this source from others: if the receiver is open, whoever reaches it can send torrents. Give both a token (QBSYNC_SOURCE_TOKEN, QBSYNC_DESTINATION_TOKEN)${speaksTls(config) ? "" : ", or keep it within a network that you trust"}`;
  if (!speaksTls(config) && !isLoopback(destinationAddr.host))
    return `the token and all data cross the network to ${address} in clear text: give the destination a certificate and this source --tls-ca-file, unless the network is one that you trust`;
  return undefined;
}

const isLoopback = (host = ""): boolean => /^(localhost|127\.[\d.]+|::1)$/i.test(host);

function measureExpiry(metrics: Metrics, keys: KeyFiles): void {
  metrics.reading(
    "qbsync_certificate_expiry_timestamp_seconds",
    "When this source's certificate goes out of date.",
    () => Number(keys.material.expiresAt ?? 0) / 1000,
  );
}
