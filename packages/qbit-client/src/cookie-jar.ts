/** qBittorrent sets one. More come from proxies, and a broken one must not fill the memory, or each request. */
const mostCookies = 16;
const longestCookie = 4096;

/**
 * Cookies of one origin, by name. qBittorrent's session cookie is `SID` up to 5.1 (unless renamed by a hidden
 * setting) and `QBT_SID_<port as qBittorrent sees it>` from 5.2, which no client can derive from its URL: so
 * every cookie that is set is kept, and only the server knows which one matters.
 */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  /** Takes `Set-Cookie` headers. Attributes are ignored, except that a cookie set to expire is dropped. */
  store(setCookies: readonly string[] | undefined): void {
    for (const setCookie of setCookies ?? []) {
      const [pair = "", ...attributes] = setCookie.split(";");
      const equals = pair.indexOf("=");
      if (equals <= 0 || pair.length > longestCookie) continue;
      const name = pair.slice(0, equals).trim();
      const value = pair.slice(equals + 1).trim();
      if (value === "" || attributes.some(expired)) this.#cookies.delete(name);
      else this.#set(name, value);
    }
  }

  #set(name: string, value: string): void {
    this.#cookies.set(name, value);
    const [oldest = ""] = this.#cookies.keys();
    if (this.#cookies.size > mostCookies) this.#cookies.delete(oldest);
  }

  clear(): void {
    this.#cookies.clear();
  }

  get empty(): boolean {
    return this.#cookies.size === 0;
  }

  /** The `Cookie` header, or `undefined` when there is nothing to send. */
  header(): string | undefined {
    return this.empty ? undefined : [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}

// `expires` is not compared with our clock (it may differ from the server's): only the "delete me" forms count.
function expired(attribute: string): boolean {
  const [name = "", value = ""] = attribute.split("=", 2).map((part) => part.trim().toLowerCase());
  return (name === "max-age" && Number(value) <= 0) || (name === "expires" && value.includes("1970"));
}
