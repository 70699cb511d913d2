import { type Rule, setting } from "@qbit-sidecars/config";

const own = (name: string): readonly [string] => [`QBSYNC_DESTINATION_${name}`];

/** How short a token may be: 16 characters of `openssl rand -hex` are 64 bits, which nobody tries through over a network. */
const tokens = {
  regex: /^\s*[\x21-\x2b\x2d-\x7e]{16,}(?:[\s,]+[\x21-\x2b\x2d-\x7e]{16,})*[\s,]*$/,
  means: "one token or several, each of 16 or more characters without spaces, commas or accents",
};

/** Who may send torrents; spread into the app's settings. */
export const securitySettings = {
  token: setting.secret({
    env: own("TOKEN"),
    flag: "--token",
    pattern: tokens,
    group: "Security",
    about:
      "Token that sources must bring; several, separated by spaces, commas or lines, while it is being changed. A token file is read again while this runs.",
  }),
  tlsCertFile: setting.path({
    env: own("TLS_CERT_FILE"),
    group: "Security",
    about:
      "PEM file of this server's certificate, with those between it and its authority; turns TLS on. Read again when it is replaced.",
  }),
  tlsKeyFile: setting.path({
    env: own("TLS_KEY_FILE"),
    group: "Security",
    about: "PEM file of the certificate's private key, without a passphrase.",
  }),
  tlsClientCaFile: setting.path({
    env: own("TLS_CLIENT_CA_FILE"),
    group: "Security",
    about: "PEM file of the authority that signs sources' certificates; once given, each source needs one.",
  }),
};

type Files = {
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
  readonly tlsClientCaFile?: string | undefined;
};

/** What these settings must satisfy together. */
export const securityRules: readonly Rule<Files>[] = [
  {
    of: ["tlsCertFile", "tlsKeyFile"],
    check: ({ tlsCertFile, tlsKeyFile }) =>
      (tlsCertFile === undefined) === (tlsKeyFile === undefined)
        ? undefined
        : { wrong: "one of them without the other", right: "a certificate and its key" },
  },
  {
    of: ["tlsCertFile", "tlsClientCaFile"],
    check: ({ tlsCertFile, tlsClientCaFile }) =>
      tlsClientCaFile === undefined || tlsCertFile !== undefined
        ? undefined
        : { wrong: "client certificates without TLS", right: "--tls-cert-file and --tls-key-file as well" },
  },
];
