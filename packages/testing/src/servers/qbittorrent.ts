import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { tempDir } from "../temp-dir.ts";
import { findProgram } from "./find-program.ts";
import { type QbittorrentVersion, qbittorrentKind } from "./kinds.ts";
import { type IniSections, iniText, passwordHash, quietQbittorrent } from "./qbittorrent-conf.ts";
import { setPreferences, webUiAnswers } from "./qbittorrent-web-ui.ts";
import { type ServerOptions, ServerProcess } from "./server-process.ts";

export type QbittorrentOptions = {
  /** Default "5.3.0". */
  version?: QbittorrentVersion;
  /** Who may use the Web API; default "bypass": everybody on this machine, without login. */
  auth?: { username: string; password: string } | "bypass";
  /** PEM texts; with them the Web API speaks only TLS. */
  https?: { key: string; cert: string };
  webPort?: number;
  listenPort?: number;
  /** Set through the Web API once the server runs for the first time, names as in `app/setPreferences`. */
  preferences?: Record<string, unknown>;
  /** Entries of qBittorrent.conf, by section; they win over those that keep the server quiet. */
  conf?: IniSections;
};

type Identity = {
  version: QbittorrentVersion;
  url: string;
  webPort: number;
  listenPort: number;
  username: string;
  password: string;
  profileDir: string;
  savePath: string;
};

/** A real qBittorrent on the loopback address that talks to nobody it is not told to. */
export class RunningQbittorrent extends ServerProcess implements Identity {
  /** The version asked for; a later patch of the same release may serve it. */
  readonly version: QbittorrentVersion;
  /** Address of the Web API, without a slash at the end. */
  readonly url: string;
  readonly webPort: number;
  /** The listening port for peers it was first started with. */
  readonly listenPort: number;
  /** Empty, like `password`, when the server needs no login. */
  readonly username: string;
  readonly password: string;
  readonly profileDir: string;
  /** Where torrents are saved by default. */
  readonly savePath: string;

  constructor(identity: Identity, options: ServerOptions) {
    super(options);
    this.version = identity.version;
    this.url = identity.url;
    this.webPort = identity.webPort;
    this.listenPort = identity.listenPort;
    this.username = identity.username;
    this.password = identity.password;
    this.profileDir = identity.profileDir;
    this.savePath = identity.savePath;
  }
}

/**
 * Starts a qBittorrent with a profile of its own and waits until its Web API answers.
 *
 * @throws ServerUnavailableError when this machine cannot get one; Error with the server's output when it fails
 */
export async function startQbittorrent(options: QbittorrentOptions = {}): Promise<RunningQbittorrent> {
  const version = options.version ?? "5.3.0";
  const program = await findProgram(qbittorrentKind(version));
  const profile = await tempDir(`qbittorrent-${version}-`);
  try {
    const identity = await prepareProfile(profile.path, version, options);
    const server = new RunningQbittorrent(identity, {
      name: `qBittorrent ${version} (${program.origin})`,
      commandLine: program.commandLine({
        args: [`--profile=${profile.path}`],
        dir: profile.path,
        env: homeIn(profile.path),
      }),
      cwd: profile.path,
      isReady: () => webUiAnswers(identity.url),
      cleanUp: async () => await profile[Symbol.asyncDispose](),
    });
    await server.start();
    if (options.preferences) await setPreferences(server, options.preferences);
    return server;
  } catch (error) {
    await profile[Symbol.asyncDispose]();
    throw error;
  }
}

async function prepareProfile(
  profileDir: string,
  version: QbittorrentVersion,
  options: QbittorrentOptions,
): Promise<Identity> {
  const { auth = "bypass", https, conf = {} } = options;
  const webPort = options.webPort ?? (await freePort());
  const listenPort = options.listenPort ?? (await freePort());
  const savePath = join(profileDir, "downloads");
  const configDir = join(profileDir, "qBittorrent/config");
  for (const dir of [savePath, configDir, join(profileDir, "home"), join(profileDir, "tmp")]) {
    await mkdir(dir, { recursive: true });
  }
  const sections = quietQbittorrent({ webPort, listenPort, savePath });
  if (auth !== "bypass") Object.assign(sections.Preferences, loginRequired(auth));
  if (https) Object.assign(sections.Preferences, await writeCertificate(configDir, https));
  await writeFile(join(configDir, "qBittorrent.conf"), iniText(sections, conf));
  const url = `${https ? "https" : "http"}://127.0.0.1:${webPort}`;
  const login = auth === "bypass" ? { username: "", password: "" } : auth;
  return { version, url, webPort, listenPort, ...login, profileDir, savePath };
}

function loginRequired({
  username,
  password,
}: {
  username: string;
  password: string;
}): Record<string, string> {
  return {
    "WebUI\\LocalHostAuth": "true",
    "WebUI\\AuthSubnetWhitelistEnabled": "false",
    "WebUI\\Username": username,
    "WebUI\\Password_PBKDF2": passwordHash(password),
  };
}

async function writeCertificate(dir: string, { key, cert }: { key: string; cert: string }) {
  const paths = { key: join(dir, "web-ui.key"), cert: join(dir, "web-ui.crt") };
  await writeFile(paths.key, key, { mode: 0o600 });
  await writeFile(paths.cert, cert);
  return {
    "WebUI\\HTTPS\\Enabled": "true",
    "WebUI\\HTTPS\\KeyPath": paths.key,
    "WebUI\\HTTPS\\CertificatePath": paths.cert,
  };
}

/** All of the environment, so that nothing of the person running the tests is read or written. */
function homeIn(profileDir: string): Record<string, string> {
  const home = join(profileDir, "home");
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "data"),
    XDG_CACHE_HOME: join(home, "cache"),
    TMPDIR: join(profileDir, "tmp"),
  };
}
