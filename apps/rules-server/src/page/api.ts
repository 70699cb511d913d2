import type * as z from "zod/mini";
import type * as shapes from "../api/answers.ts";

type Shape<Name extends keyof typeof shapes> = z.output<(typeof shapes)[Name]>;
export type JobRow = Shape<"jobRow">;
export type Job = Omit<Shape<"job">, "details"> & { readonly details: Details | null };
export type JobList = Shape<"jobList">;
export type Rules = Shape<"rules">;
export type Stats = Shape<"stats">;
export type HealthReport = Shape<"health">;
export type TorrentList = Shape<"torrents">;
export type RulesText = Shape<"rulesText">;

/** What a run of the rules keeps with its job; see `detailsOf` in rules-run. */
export type Details = {
  readonly entries: readonly Entry[];
  readonly entries_left_out?: number;
  readonly held: readonly { hash: string; name: string; rule: string; reason: string }[];
  readonly not_ready: readonly { hash: string; name?: string; reasons: readonly string[] }[];
  readonly failed: readonly { hash: string; name: string; reason: string }[];
  readonly unsupported: readonly { rule: string; reason: string }[];
  readonly trace?: readonly { hash: string; name: string; rules: readonly RuleTrace[] }[];
};
export type Entry = {
  readonly hash: string;
  readonly name: string;
  readonly rule: string;
  readonly action: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly because: readonly string[];
  readonly result: "planned" | "done" | "failed";
  readonly error?: string;
};
export type RuleTrace = {
  readonly rule: string;
  readonly answer: string;
  readonly conditions?: ConditionTrace;
};
export type ConditionTrace = {
  readonly condition: string;
  readonly answer: string;
  readonly actual?: string;
  readonly source?: string;
  readonly items?: readonly ConditionTrace[];
};

/** The server refuses the key. */
export class UnauthorizedError extends Error {
  override readonly name = "UnauthorizedError";
}

/** The server said no, or nothing; the message is for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
}

type Params = Readonly<Record<string, string | number | boolean | undefined>>;
const longestPauseMs = 15_000;

/** The server, seen from its page. The key goes into a header, never into an address. */
export class Api {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  async get<Answer>(path: string, params: Params = {}, signal?: AbortSignal): Promise<Answer> {
    return await this.#ask("GET", withParams(path, params), signal);
  }

  async post<Answer>(path: string, params: Params = {}): Promise<Answer> {
    return await this.#ask("POST", withParams(path, params));
  }

  async delete(path: string): Promise<void> {
    await this.#ask("DELETE", path);
  }

  /** Health has an answer also when it is bad. */
  async health(): Promise<HealthReport> {
    return await (await this.#fetch("GET", "api/health")).json();
  }

  /** Calls back for each change of a job, and after each gap, until the signal aborts. */
  async listen(onChange: () => void, onLive: (isLive: boolean) => void, signal: AbortSignal): Promise<void> {
    for (let pauseMs = 1000; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        const { body } = await this.#fetch("GET", "api/events", signal);
        if (body === null) throw new ApiError("the server sends no events");
        onLive(true);
        pauseMs = 1000;
        for await (const text of body.pipeThrough(new TextDecoderStream()))
          if (/^event:/m.test(text)) onChange();
      } catch (error) {
        if (error instanceof UnauthorizedError) throw error;
      }
      if (signal.aborted) return;
      onLive(false);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #ask<Answer>(method: string, path: string, signal?: AbortSignal): Promise<Answer> {
    const response = await this.#fetch(method, path, signal);
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw new ApiError(answer.message ?? answer.error ?? `the server answers ${response.status}`);
  }

  async #fetch(method: string, path: string, signal?: AbortSignal): Promise<Response> {
    const headers = { "x-api-key": this.#key };
    const request = fetch(path, { method, headers, cache: "no-store", ...(signal && { signal }) });
    const response = await request.catch((cause: unknown) => {
      if (signal?.aborted === true) throw cause;
      throw new ApiError("the server does not answer", { cause });
    });
    if (response.status === 401) throw new UnauthorizedError("the server does not know this key");
    return response;
  }
}

function withParams(path: string, params: Params): string {
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  return query.size === 0 ? path : `${path}?${query}`;
}
