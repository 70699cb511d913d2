import type { Kind } from "./kind.ts";
import { setting, type FlagName, type Setting, type SettingOptions } from "./setting.ts";
import { loginlessUrlKind, textKind } from "./text-kinds.ts";

/** An app's own names for a setting; they come before the common ones. */
export interface OwnNames {
  readonly flag?: FlagName | false;
  readonly env?: readonly string[];
  readonly key?: string | readonly string[] | false;
}

interface OwnText extends OwnNames {
  readonly default?: string;
  readonly required?: true;
}

/** Where an app's names or defaults differ from the common ones. */
export interface QbitSettingsOptions {
  readonly url?: OwnText;
  readonly user?: OwnText;
  readonly pass?: OwnNames;
  readonly apiKey?: OwnNames;
  readonly caCertFile?: OwnNames;
  readonly insecureSkipVerify?: OwnNames;
  readonly timeout?: OwnNames & { readonly default?: string };
}

/** With a default, or required, the value is there. */
type TextOf<O, Name extends string> =
  O extends Readonly<Record<Name, { readonly default: string } | { readonly required: true }>>
    ? string
    : string | undefined;

/**
 * How every app is told to reach qBittorrent; spread it into the declaration. `QBIT_URL`, `QBIT_USER`,
 * `QBIT_PASS`, `QBIT_API_KEY`, `QBIT_CA_CERT_FILE`, `QBIT_INSECURE_SKIP_VERIFY` and `QBIT_TIMEOUT` hold in all
 * of them, after the app's own names.
 */
export function qbitSettings<const O extends QbitSettingsOptions>(options: O) {
  const { url, user, pass, apiKey, caCertFile, insecureSkipVerify, timeout } = options;
  return {
    qbitUrl: ownText<TextOf<O, "url">>(url, loginlessUrlKind(), {
      ...named(url, { env: "QBIT_URL", flag: "--qbit-url", key: "qbittorrent.url" }),
      about: "Address of qBittorrent's Web UI.",
    }),
    qbitUser: ownText<TextOf<O, "user">>(user, textKind(), {
      ...named(user, { env: "QBIT_USER", flag: "--qbit-user", key: "qbittorrent.username" }),
      about: "Web UI user name; not needed where qBittorrent lets this host in without.",
    }),
    qbitPass: setting.secret({
      ...named(pass, { env: "QBIT_PASS", flag: false, key: "qbittorrent.password" }),
      about: "Web UI password.",
    }),
    qbitApiKey: setting.secret({
      ...named(apiKey, { env: "QBIT_API_KEY", flag: false, key: "qbittorrent.api_key" }),
      about: "API key, in place of user name and password (qBittorrent 5.2 and later).",
    }),
    qbitCaCertFile: setting.path({
      ...named(caCertFile, {
        env: "QBIT_CA_CERT_FILE",
        flag: "--qbit-ca-cert-file",
        key: "qbittorrent.ca_cert_file",
      }),
      about: "PEM file of the authority that signed the Web UI's certificate.",
    }),
    qbitInsecureSkipVerify: setting.toggle({
      ...named(insecureSkipVerify, {
        env: "QBIT_INSECURE_SKIP_VERIFY",
        flag: "--qbit-insecure-skip-verify",
        key: "qbittorrent.insecure_skip_verify",
      }),
      default: false,
      about: "Accept any certificate from the Web UI.",
    }),
    qbitTimeout: setting.duration({
      ...named(timeout, { env: "QBIT_TIMEOUT", flag: "--qbit-timeout", key: "qbittorrent.timeout" }),
      unit: "s",
      default: timeout?.default ?? "10s",
      min: "100ms",
      max: "10m",
      about: "How long qBittorrent may take for one answer.",
    }),
  };
}

interface CommonNames {
  readonly env: string;
  readonly flag: FlagName | false;
  readonly key: string;
}

function named(own: OwnNames | undefined, common: CommonNames) {
  return {
    group: "qBittorrent",
    env: [...(own?.env ?? []), common.env],
    flag: own?.flag ?? common.flag,
    key: own?.key ?? common.key,
  };
}

function ownText<V>(own: OwnText | undefined, kind: Kind<string>, options: SettingOptions): Setting<V> {
  return { kind, options: { ...options, default: own?.default, required: own?.required } };
}
