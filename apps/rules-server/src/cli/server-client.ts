import type { Secret } from "@qbit-sidecars/config";
import { messageWithCauses } from "@qbit-sidecars/service";

/** The server gave no answer, or one that says nothing about what was asked. */
export class ServerError extends Error {
  override readonly name = "ServerError";
}

export type ServerAnswer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

type Ask = {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
};

/** A page of jobs with all their details is far below. */
const largestAnswerBytes = 64 * 1024 * 1024;

/** The API of a running server, as a client knows it. */
export class ServerClient {
  readonly url: string;
  readonly #key: Secret | undefined;
  readonly #timeoutMs: number;

  constructor(options: { url: string; key: Secret | undefined; timeoutMs: number }) {
    this.url = options.url;
    this.#key = options.key;
    this.#timeoutMs = options.timeoutMs;
  }

  /** @throws ServerError when nobody answers, the key is refused, or the answer is none of this API's */
  async ask({ method, path, query = {} }: Ask): Promise<ServerAnswer> {
    const { default: got } = await import("got");
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    const [key] = (this.#key?.reveal() ?? "").split(/[,\r\n]/);
    try {
      const tooLarge = new AbortController();
      const asking = got(`${this.url}${path}${search && `?${search}`}`, {
        method,
        headers: { "x-api-key": key?.trim(), "user-agent": "qbt-rules" },
        timeout: { request: this.#timeoutMs },
        retry: { limit: 0 },
        followRedirect: false,
        throwHttpErrors: false,
        signal: tooLarge.signal,
      });
      void asking.on("downloadProgress", ({ transferred }) => {
        if (transferred > largestAnswerBytes) tooLarge.abort();
      });
      const { statusCode: status, body } = await asking;
      return { status, body: this.#parse(status, body) };
    } catch (cause) {
      if (cause instanceof ServerError) throw cause;
      throw new ServerError(
        `asking the server at ${this.url}: ${messageWithCauses(cause)}${isRefused(cause) ? `; ${whereItIs}` : ""}`,
        { cause },
      );
    }
  }

  #parse(status: number, text: string): ServerAnswer["body"] {
    const body = parseJson(text);
    if (status === 401)
      throw new ServerError(
        `the server at ${this.url} refuses the key; QBT_RULES_CLIENT_API_KEY must be one of its QBT_RULES_SERVER_API_KEY`,
      );
    if (body === undefined)
      throw new ServerError(`what answers at ${this.url} (status ${status}) is not qbt-rules`);
    if (status >= 500 && body["status"] !== "unhealthy")
      throw new ServerError(`the server at ${this.url} fails: ${String(body["message"])}`);
    return body;
  }
}

const whereItIs =
  "does qbt-rules --serve run there? QBT_RULES_CLIENT_SERVER_URL (--client-server-url) says where it is asked";

const isRefused = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";

function parseJson(text: string): ServerAnswer["body"] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
