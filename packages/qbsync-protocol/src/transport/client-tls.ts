import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";

/** Whom a client believes and what it shows; PEM texts. */
export type ClientTls = {
  /** The authorities that are believed; without it those of the system. */
  ca?: string | undefined;
  /** A client certificate, and its key. */
  cert?: string | undefined;
  key?: string | undefined;
  /** The name that the server's certificate must be for, where that is not the host that is dialled. */
  serverName?: string | undefined;
};

/** An IP address may not be sent as the name that is asked for (RFC 6066 §3), but some name must be. */
const anyName = "qbsync-destination";

/**
 * The TLS half of a channel. The name or address that is dialled, or `serverName`, is what the certificate is checked
 * against, IP addresses by their entry in the certificate. grpc-js would send an address as the server's name, which
 * Node refuses from 26 on.
 */
export function tlsChannel(
  address: string,
  { ca, cert, key, serverName }: ClientTls,
): { credentials: ChannelCredentials; options: ChannelOptions } {
  const name = serverName ?? hostOf(address);
  const isAddress = isIP(name) !== 0;
  return {
    credentials: credentials.createSsl(bytes(ca), bytes(key), bytes(cert), {
      checkServerIdentity: (_host, shown) => checkServerIdentity(name, shown),
    }),
    options: { "grpc.ssl_target_name_override": isAddress ? anyName : name },
  };
}

const bytes = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));

/** Of `host:port`, without the brackets and the zone of an IPv6 address. */
function hostOf(address: string): string {
  const host = address.slice(0, address.lastIndexOf(":"));
  return host.replace(/^\[(?<inner>.*)\]$/, "$<inner>").replace(/%.*$/, "");
}
