import { type IncomingMessage, request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import type { LoginOperation } from "./login-operation.ts";

export type LoginSeen = { status: number; body: string; cookie: string };

/** A client whose every header is said by the test: `fetch` would not let go of Host. */
export class LoginClient {
  #url: URL;
  #cookie = "";

  constructor(url: string) {
    this.#url = new URL(url);
  }

  async do(request: LoginOperation["request"]): Promise<LoginSeen> {
    if (request.kind === "login") {
      const { username, password, times } = request;
      for (let before = 1; before < times; before++)
        await this.#send("auth/login", { form: { username, password } });
      return await this.#send("auth/login", { form: { username, password } });
    }
    if (request.kind === "logout") return await this.#send("auth/logout", { form: {} });
    if (request.kind === "ask") return await this.#send(request.name, {});
    if (request.kind === "askAs") return await this.#send("app/version", { headers: request.headers });
    this.#cookie = "";
    return { status: 0, body: "", cookie: "" };
  }

  async #send(
    name: string,
    given: { form?: Record<string, string>; headers?: Record<string, string> },
  ): Promise<LoginSeen> {
    const body = given.form && new URLSearchParams(given.form).toString();
    const headers = Object.fromEntries(
      Object.entries(given.headers ?? {}).map(([key, value]) => [
        key,
        value.replace("{host}", this.#url.host),
      ]),
    );
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = httpRequest(`${this.#url.origin}/api/v2/${name}`, {
        method: body === undefined ? "GET" : "POST",
        agent: false,
        headers: {
          ...(this.#cookie && { cookie: this.#cookie }),
          ...(body !== undefined && {
            "content-type": "application/x-www-form-urlencoded",
            "content-length": body.length,
          }),
          ...headers,
        },
      });
      sent.on("response", resolve).on("error", reject).end(body);
    });
    const cookie = response.headers["set-cookie"]?.[0] ?? "";
    if (cookie) this.#cookie = cookie.split(";")[0] ?? "";
    return { status: response.statusCode ?? 0, body: await text(response), cookie: this.#shape(cookie) };
  }

  /** Without what is drawn by lot, and what names a time or a port; the order of attributes means nothing. */
  #shape(cookie: string): string {
    return cookie
      .replace(/^([^=]*)=[^;]+/, "$1=…")
      .replace(`_${this.#url.port}`, "_port")
      .replace(/expires=[^;]*/, "expires=…")
      .split("; ")
      .toSorted((left, right) => (left < right ? -1 : 1))
      .join("; ");
  }
}
