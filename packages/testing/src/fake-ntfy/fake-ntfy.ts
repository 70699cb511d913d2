import { randomBytes } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { type Fault, Faults } from "../fake-qbittorrent/faults.ts";
import { SuddenServer } from "../sudden-server.ts";
import type { NtfyMessage } from "./messages.ts";
import { failure, type NtfyAnswer, type Publication, readJsonPublish } from "./publish.ts";

export type FakeNtfyOptions = {
  /** "2.11.0" knows no sequence ids. Default "2.27.0". */
  version?: "2.11.0" | "2.27.0";
  /** Wall clock; the buckets and the day follow it. */
  clock?: { now(): number };
  /** Requests at once, and how long until one more; default ntfy's own 60 and 5 s. */
  burst?: number;
  refillMs?: number;
  /** Messages a day; default none. */
  daily?: number;
  /** With a token, whoever does not show it may do nothing. */
  token?: string;
};

/** One request that arrived, answered or not. */
export type NtfyCall = {
  method: string;
  path: string;
  at: number;
  status: number | "none";
  authorization: string;
};

/**
 * Starts an ntfy server that is none, on a loopback port: JSON publishing, deleting, polling, its limits on a clock
 * that a test turns, and faults on demand (`applied`: the message was stored before it went wrong). What it answers is
 * compared with the real one by `fake-ntfy.contract.test.ts`.
 */
export async function startFakeNtfy(options: FakeNtfyOptions = {}): Promise<FakeNtfy> {
  const fake = new FakeNtfy(options);
  await fake.up();
  return fake;
}

export class FakeNtfy implements AsyncDisposable {
  /** For "publish", "delete" or "*". */
  readonly faults = new Faults();
  readonly calls: NtfyCall[] = [];
  readonly #options: FakeNtfyOptions;
  readonly #messages: NtfyMessage[] = [];
  readonly #server = new SuddenServer(() =>
    createServer((request, response) => void this.#serve(request, response)),
  );
  #tokens: number;
  #filledAt: number;
  #day = { name: "", sent: 0 };

  constructor(options: FakeNtfyOptions) {
    this.#options = options;
    this.#tokens = options.burst ?? 60;
    this.#filledAt = this.#now();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** Everything stored, oldest first, of all topics or one. */
  messages(topic?: string): readonly NtfyMessage[] {
    return topic === undefined ? this.#messages : this.#messages.filter((message) => message.topic === topic);
  }

  async up(): Promise<void> {
    await this.#server.up();
  }

  /** Connections are refused. */
  async down(): Promise<void> {
    await this.#server.down();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  #now(): number {
    return this.#options.clock?.now() ?? Date.now();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const method = request.method ?? "GET";
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString("utf8");
    const call: NtfyCall = {
      method,
      path,
      at: this.#now(),
      status: "none",
      authorization: request.headers.authorization ?? "",
    };
    this.calls.push(call);
    const fault = this.faults.take(method === "DELETE" ? "delete" : method === "GET" ? "read" : "publish");
    const answer =
      fault === undefined || fault.kind === "latency" || isApplied(fault)
        ? this.#answer({ method, path, body, authorization: call.authorization })
        : undefined;
    this.#meet(fault, answer, { call, response });
  }

  #meet(
    fault: Fault | undefined,
    answer: NtfyAnswer | undefined,
    { call, response }: { call: NtfyCall; response: ServerResponse },
  ): void {
    if (fault?.kind === "hang") return;
    if (fault?.kind === "reset" || fault?.kind === "truncated") {
      response.socket?.resetAndDestroy();
      return;
    }
    const shown =
      fault?.kind === "answer"
        ? { status: fault.status, body: fault.body ?? "", contentType: "text/html" }
        : answer;
    if (shown === undefined) return;
    call.status = shown.status;
    const headers = {
      "content-type": shown.contentType ?? "application/json",
      ...(fault?.kind === "answer" ? fault.headers : {}),
    };
    const write = () => response.writeHead(shown.status, headers).end(shown.body);
    if (fault?.kind === "latency") setTimeout(write, fault.ms);
    else write();
  }

  #answer({
    method,
    path,
    body,
    authorization,
  }: {
    method: string;
    path: string;
    body: string;
    authorization: string;
  }): NtfyAnswer {
    const [, topic = "", second = ""] = path.split("/");
    const { token } = this.#options;
    // Everybody may ask these; only wrong credentials are refused, whatever is asked.
    if (token !== undefined && authorization !== "" && authorization !== `Bearer ${token}`)
      return failure(401, 40_101, "unauthorized");
    if (method === "GET" && path === "/v1/health") return { status: 200, body: `{"healthy":true}\n` };
    const isAccount = method === "GET" && path === "/v1/account";
    if (isAccount && (token === undefined || authorization === "")) return account("anonymous");
    if (token !== undefined && authorization === "") return failure(403, 40_301, "forbidden");
    if (isAccount) return account("admin");
    if (method === "GET" && second === "auth") return { status: 200, body: `{"success":true}\n` };
    if (method === "GET" && second === "json") return this.#poll(topic);
    if (method === "POST" && path === "/") return this.#publish(body);
    if (method === "DELETE" && this.#knowsSequences && second !== "") return this.#delete(topic, second);
    return failure(404, 40_401, "page not found");
  }

  get #knowsSequences(): boolean {
    return this.#options.version !== "2.11.0";
  }

  #poll(topic: string): NtfyAnswer {
    const lines = this.messages(topic).map((message) => `${JSON.stringify(message)}\n`);
    return { status: 200, body: lines.join(""), contentType: "application/x-ndjson; charset=utf-8" };
  }

  #publish(body: string): NtfyAnswer {
    const read = readJsonPublish(body, { knowsSequences: this.#knowsSequences });
    if (!read.ok) return read.answer;
    const refusal = this.#takeToken() ?? this.#takeMessage();
    if (refusal !== undefined) return refusal;
    const { sequence, ...publication } = read.publication;
    return this.#store({ event: "message", topic: read.topic, sequence, publication });
  }

  #delete(topic: string, sequence: string): NtfyAnswer {
    const refusal = this.#takeToken() ?? this.#takeMessage();
    return refusal ?? this.#store({ event: "message_delete", topic, sequence, publication: {} });
  }

  #store(entry: {
    event: NtfyMessage["event"];
    topic: string;
    sequence: string | undefined;
    publication: Publication;
  }): NtfyAnswer {
    const { event, topic, sequence, publication } = entry;
    const time = Math.floor(this.#now() / 1000);
    const message: NtfyMessage = {
      id: randomBytes(9).toString("base64").replaceAll(/[+/=]/g, "x"),
      ...(sequence === undefined ? {} : { sequence_id: sequence }),
      time,
      expires: time + 12 * 3600,
      event,
      topic,
      ...publication,
    };
    this.#messages.push(message);
    return { status: 200, body: `${JSON.stringify(message)}\n` };
  }

  /** No Retry-After and no RateLimit-*: the real one sends none either. */
  #takeToken(): NtfyAnswer | undefined {
    const { burst = 60, refillMs = 5000 } = this.#options;
    const gained = Math.floor((this.#now() - this.#filledAt) / refillMs);
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#filledAt += gained * refillMs;
    if (this.#tokens < 1) return failure(429, 42_901, "limit reached: too many requests");
    this.#tokens -= 1;
    return undefined;
  }

  #takeMessage(): NtfyAnswer | undefined {
    const name = new Date(this.#now()).toISOString().slice(0, 10);
    if (name !== this.#day.name) this.#day = { name, sent: 0 };
    const { daily = 0 } = this.#options;
    if (daily > 0 && this.#day.sent >= daily)
      return failure(429, 42_908, "limit reached: daily message quota reached");
    this.#day.sent += 1;
    return undefined;
  }
}

function account(role: "admin" | "anonymous"): NtfyAnswer {
  const username = role === "admin" ? "somebody" : "*";
  return { status: 200, body: `${JSON.stringify({ username, role })}\n` };
}

function isApplied(fault: Fault): boolean {
  return "applied" in fault && fault.applied;
}
