import { type Rule, setting } from "@qbit-sidecars/config";

const own = (name: string): readonly [string] => [`QBSYNC_SOURCE_${name}`];

const token = {
  regex: /^\s*[\x21-\x2b\x2d-\x7e]{16,}\s*$/,
  means: "a token of 16 or more characters without spaces, commas or accents",
};

/** How the destination is made sure of, and what is shown to it; spread into the app's settings. */
export const securitySettings = {
  token: setting.secret({
    env: own("TOKEN"),
    flag: "--token",
    pattern: token,
    group: "Security",
    about: "Token that the destination asks for. A token file is read again while this runs.",
  }),
  tls: setting.toggle({
    env: own("TLS"),
    default: false,
    group: "Security",
    about:
      "Speak TLS to the destination, believing the authorities that the system believes. Any of the files below turns it on as well.",
  }),
  tlsCaFile: setting.path({
    env: own("TLS_CA_FILE"),
    group: "Security",
    about: "PEM file of the authority that signed the destination's certificate.",
  }),
  tlsCertFile: setting.path({
    env: own("TLS_CERT_FILE"),
    group: "Security",
    about: "PEM file of this source's certificate, for a destination that asks for one.",
  }),
  tlsKeyFile: setting.path({
    env: own("TLS_KEY_FILE"),
    group: "Security",
    about: "PEM file of that certificate's private key, without a passphrase.",
  }),
  tlsServerName: setting.text({
    env: own("TLS_SERVER_NAME"),
    group: "Security",
    about: "Name or IP address that the destination's certificate is for, where that is not the one dialled.",
  }),
};

type Given = {
  readonly tls: boolean;
  readonly tlsCaFile?: string | undefined;
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
  readonly tlsServerName?: string | undefined;
};

/** What these settings must satisfy together. */
export const securityRules: readonly Rule<Given>[] = [
  {
    of: ["tlsCertFile", "tlsKeyFile"],
    check: ({ tlsCertFile, tlsKeyFile }) =>
      (tlsCertFile === undefined) === (tlsKeyFile === undefined)
        ? undefined
        : { wrong: "one of them without the other", right: "a certificate and its key" },
  },
  {
    of: ["tls", "tlsCaFile", "tlsCertFile", "tlsServerName"],
    check: ({ tls, tlsCaFile, tlsCertFile, tlsServerName }) =>
      tlsServerName === undefined || tls || tlsCaFile !== undefined || tlsCertFile !== undefined
        ? undefined
        : { wrong: "a server name without TLS", right: "--tls or --tls-ca-file as well" },
  },
];
