import type { Rejection, ServeOptions, ServerTls } from "@qbit-sidecars/qbsync-protocol";
import { KeyFiles, type KeyMaterial, type Metrics, type Service } from "@qbit-sidecars/service";
import type { Config } from "./config.ts";
import { TellRejections } from "./tell-rejections.ts";

type SecurityConfig = Pick<Config, "token" | "tlsCertFile" | "tlsKeyFile" | "tlsClientCaFile">;

/** Who may send torrents, and how it is told. */
export type WhoMaySend = {
  /** For {@link serveQbSync}. */
  serve: Pick<ServeOptions, "tls" | "tokens" | "onRefused">;
  /** Neither a token nor a client certificate is asked for: whoever reaches the port may. */
  isOpen: boolean;
  /** For people: "TLS, client certificates and tokens". */
  how: string;
};

/**
 * What the settings ask of those who send torrents. Warns of what they leave open.
 *
 * @throws SettingFault when a file cannot be used
 */
export async function whoMaySend(
  config: SecurityConfig,
  { log, clock, metrics }: Pick<Service, "log" | "clock" | "metrics">,
): Promise<WhoMaySend> {
  const { token, tlsCertFile, tlsClientCaFile } = config;
  const isOpen = token === undefined && tlsClientCaFile === undefined;
  const keys = tlsCertFile === undefined ? undefined : await openKeys(config, { log, clock });
  const rejections = new TellRejections(log, () => clock.monotonic());
  const count = measure(metrics, { isOpen, keys });
  if (isOpen) log.warn(openWarning(tlsCertFile !== undefined));
  else if (keys === undefined) log.warn(clearTextWarning);
  return {
    serve: {
      tls: keys && showing(keys),
      tokens: token && (async () => splitTokens(await token.current())),
      onRefused(rejection: Rejection) {
        count(rejection.reason);
        rejections.tell(rejection);
      },
    },
    isOpen,
    how: howText(config),
  };
}

/** Several tokens in one text. */
export const splitTokens = (text: string): string[] => text.split(/[\s,]+/).filter((token) => token !== "");

const openWarning = (isEncrypted: boolean): string =>
  `this receiver is open: whoever reaches its port can send torrents and delete what is not finished. Give it and its sources a token (QBSYNC_DESTINATION_TOKEN, QBSYNC_SOURCE_TOKEN)${isEncrypted ? "" : ", or keep the port within a network that you trust"}`;

const clearTextWarning =
  "tokens and data cross the network in clear text: without --tls-cert-file keep the port within a network that you trust";

function howText({ token, tlsCertFile, tlsClientCaFile }: SecurityConfig): string {
  const asked = [
    tlsClientCaFile === undefined ? [] : ["a client certificate"],
    token === undefined ? [] : ["a token"],
  ].flat();
  const from = asked.length === 0 ? "anybody" : `sources with ${asked.join(" and ")}`;
  return `from ${from}, ${tlsCertFile === undefined ? "in clear text" : "over TLS"}`;
}

/** One object for as long as the files do not change. */
function showing(keys: KeyFiles): () => Promise<ServerTls> {
  let last = { material: keys.material, tls: tlsOf(keys.material) };
  return async () => {
    const material = await keys.current();
    if (material !== last.material) last = { material, tls: tlsOf(material) };
    return last.tls;
  };
}

const tlsOf = ({ ca: clientCa, cert = "", key = "" }: KeyMaterial): ServerTls => ({ cert, key, clientCa });

function openKeys(
  { tlsCertFile, tlsKeyFile, tlsClientCaFile }: SecurityConfig,
  { log, clock }: Pick<Service, "log" | "clock">,
): Promise<KeyFiles> {
  return KeyFiles.open({
    files: {
      ca: { path: tlsClientCaFile, setting: "--tls-client-ca-file" },
      cert: { path: tlsCertFile, setting: "--tls-cert-file" },
      key: { path: tlsKeyFile, setting: "--tls-key-file" },
    },
    log,
    now: () => clock.now(),
  });
}

function measure(
  metrics: Metrics,
  { isOpen, keys }: { isOpen: boolean; keys: KeyFiles | undefined },
): (reason: string) => void {
  metrics
    .gauge({ name: "qbsync_receiver_open", help: "1 while whoever reaches the port may send torrents." })
    .set(Number(isOpen));
  const rejected = metrics.counter({
    name: "qbsync_rejections_total",
    help: "Connections and calls that were refused, and why.",
    labelNames: ["reason"],
  });
  if (keys !== undefined)
    metrics.reading(
      "qbsync_certificate_expiry_timestamp_seconds",
      "When this server's certificate goes out of date.",
      () => Number(keys.material.expiresAt ?? 0) / 1000,
    );
  return (reason) => rejected.inc({ reason });
}
