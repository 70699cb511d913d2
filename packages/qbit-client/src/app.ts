import * as z from "zod/mini";
import type { Call, Caller, CallOptions } from "./call.ts";
import type { Preferences } from "./preferences.ts";

export interface BuildInfo {
  [field: string]: unknown;
  libtorrent: string;
  qt: string;
}

export interface DownloadCookie {
  [field: string]: unknown;
  name: string;
  domain: string;
  path: string;
  value: string;
  /** Seconds since the epoch. */
  expirationDate?: number;
}

/** `client.app`: the application and its preferences. */
export class AppApi {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Every preference of this qBittorrent, under its own names and in its own units. */
  async preferences(options: CallOptions = {}): Promise<Preferences> {
    const answer = await this.#caller.call("app/preferences", options);
    return answer.json(preferencesSchema());
  }

  /**
   * Changes the preferences named and leaves the others. qBittorrent takes effect asynchronously and ignores
   * names it does not know.
   *
   * Up to 4.3.0 (Web API 2.6.0) qBittorrent resets `add_trackers_enabled` and `add_trackers` whenever they are
   * not named; there they are read first and sent along.
   */
  async setPreferences(changes: Partial<Preferences>, options: CallOptions = {}): Promise<void> {
    const capabilities = await this.#caller.capabilities(options);
    const forgotten = capabilities.atLeast("2.6.1") ? {} : await this.#extraTrackers(options);
    const call: Call = { ...options, params: { json: JSON.stringify({ ...forgotten, ...changes }) } };
    await this.#caller.call("app/setPreferences", call);
  }

  async buildInfo(options: CallOptions = {}): Promise<BuildInfo> {
    const answer = await this.#caller.call("app/buildInfo", options);
    return answer.json(z.looseObject({ libtorrent: z.string(), qt: z.string() }));
  }

  async defaultSavePath(options: CallOptions = {}): Promise<string> {
    const answer = await this.#caller.call("app/defaultSavePath", options);
    return answer.text();
  }

  /** Interfaces that qBittorrent can be bound to; `value` is what `current_network_interface` takes. */
  async networkInterfaces(options: CallOptions = {}): Promise<{ name: string; value: string }[]> {
    const answer = await this.#caller.call("app/networkInterfaceList", options);
    return answer.json(z.array(z.looseObject({ name: z.string(), value: z.string() })));
  }

  /** Addresses of an interface ("" for all); empty when it is down or does not exist. */
  async networkInterfaceAddresses(networkInterface: string, options: CallOptions = {}): Promise<string[]> {
    const params = { iface: networkInterface };
    const answer = await this.#caller.call("app/networkInterfaceAddressList", { ...options, params });
    return answer.json(z.array(z.string()));
  }

  /** 5.0+. Paths in a directory, as qBittorrent sees it; QbitNotFoundError when it is not there. */
  async directoryContent(
    path: string,
    options: CallOptions & { kind?: "all" | "dirs" | "files" } = {},
  ): Promise<string[]> {
    const params = { dirPath: path, mode: options.kind };
    const answer = await this.#caller.call("app/getDirectoryContent", { ...options, params });
    return answer.json(z.array(z.string()));
  }

  /** 5.1+. Cookies that qBittorrent uses to download torrent files. */
  async cookies(options: CallOptions = {}): Promise<DownloadCookie[]> {
    const answer = await this.#caller.call("app/cookies", options);
    return answer.json(
      z.array(z.looseObject({ name: z.string(), domain: z.string(), path: z.string(), value: z.string() })),
    );
  }

  /** 5.1+. Replaces all of them. */
  async setCookies(cookies: readonly DownloadCookie[], options: CallOptions = {}): Promise<void> {
    await this.#caller.call("app/setCookies", { ...options, params: { cookies: JSON.stringify(cookies) } });
  }

  /** 5.2+. When this qBittorrent was started. */
  async startedAt(options: CallOptions = {}): Promise<Date> {
    const answer = await this.#caller.call("app/processInfo", options);
    const { launch_time } = answer.json(z.looseObject({ launch_time: z.number() }));
    return new Date(launch_time * 1000);
  }

  /** 5.2+. Makes a new API key, which replaces the old one. Not allowed with a key itself. */
  async rotateApiKey(options: CallOptions = {}): Promise<string> {
    const answer = await this.#caller.call("app/rotateAPIKey", options);
    return answer.json(z.looseObject({ apiKey: z.string() })).apiKey;
  }

  /** 5.2+. */
  async deleteApiKey(options: CallOptions = {}): Promise<void> {
    await this.#caller.call("app/deleteAPIKey", options);
  }

  /** Ends qBittorrent, soon after its answer. */
  async shutdown(options: CallOptions = {}): Promise<void> {
    await this.#caller.call("app/shutdown", options);
  }

  async #extraTrackers(options: CallOptions): Promise<Partial<Preferences>> {
    const { add_trackers_enabled, add_trackers } = await this.preferences(options);
    return {
      ...(add_trackers_enabled === undefined ? {} : { add_trackers_enabled }),
      ...(add_trackers === undefined ? {} : { add_trackers }),
    };
  }
}

const preferencesSchema = () =>
  z.looseObject({
    listen_port: z.number(),
    random_port: z.optional(z.boolean()),
    upnp: z.optional(z.boolean()),
  });
