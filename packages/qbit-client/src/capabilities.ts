import { type Endpoint, type EndpointName, endpoints } from "./endpoints.ts";
import { compareVersions } from "./version.ts";

/** What a qBittorrent can do, by the version of its Web API. */
export class Capabilities {
  /** qBittorrent's version without the leading `v`: `5.3.0`, `5.2.0beta1`. */
  readonly app: string;
  /** The Web API's version: `2.16.2`. Everything is decided by this one. */
  readonly webApi: string;

  constructor(versions: { app: string; webApi: string }) {
    this.app = versions.app.replace(/^v/, "");
    this.webApi = versions.webApi;
  }

  /** Whether the Web API is at least this version, compared number by number. */
  atLeast(webApi: string): boolean {
    return compareVersions(this.webApi, webApi) >= 0;
  }

  /** Whether a call is known to this qBittorrent, under its present or an earlier name. */
  supports(endpoint: EndpointName): boolean {
    const { since, until }: Endpoint = endpoints[endpoint];
    return this.atLeast(since) && (until === undefined || !this.atLeast(until));
  }
}
