import { generateKeyPairSync, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { bindingMs, PortBindings } from "./port-bindings.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** PIA's own terms. */
export const piaTerms = {
  /** A token is good for a day (pia-foss/manual-connections, get_token.sh). */
  tokenMs: dayMs,
  bindingMs,
  /** Signatures run for about two months; 62 days in users' logs. */
  signatureMs: 62 * dayMs,
  /** "Try again later" lasts longer than two minutes (manual-connections #63). */
  lockOutMs: 3 * minuteMs,
};

export type PiaRequest = { path: string; query: Readonly<Record<string, string>> };
export type PiaAnswer = { status: number; body: string; headers?: Record<string, string> };

/** What PIA may add to or leave out of its payloads, one day. */
export type PayloadStyle = {
  /** Fields besides `token`, `port` and `expires_at`. */
  extra?: Record<string, unknown>;
  /** Base64 without `=` at its end. */
  unpadded?: boolean;
  /** `created_at` in place of `expires_at`, as in the sample of manual-connections' README. */
  createdAt?: boolean;
};

export type PiaModelOptions = {
  now: () => number;
  username: string;
  password: string;
  /** Of tokens and ports. */
  random: () => number;
};

/**
 * PIA's side of port forwarding, without any network: tokens that expire, signatures over exact bytes, ports that are
 * taken away when they are not bound again. Servers are named by their address.
 */
export class PiaModel {
  readonly #options: PiaModelOptions;
  #keys = generateKeyPairSync("ed25519");
  #tokens = new Map<string, number>();
  #bindings = new Map<string, PortBindings>();
  #lockedUntil = 0;
  #genuine = new Set<string>();
  style: PayloadStyle = {};
  /** How long signatures run from now on. */
  signatureMs = piaTerms.signatureMs;

  constructor(options: PiaModelOptions) {
    this.#options = options;
  }

  /** The ports of one server. */
  bindings(server: string): PortBindings {
    const known = this.#bindings.get(server) ?? new PortBindings(this.#options.now);
    this.#bindings.set(server, known);
    return known;
  }

  /** Every token so far is worthless. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  /** Every signature so far is worthless: bindPort answers "bad signature". */
  replaceSigningKey(): void {
    this.#keys = generateKeyPairSync("ed25519");
    this.#genuine.clear();
  }

  /** The token endpoint answers "too many attempts" for this long. */
  lockOut(ms = piaTerms.lockOutMs): void {
    this.#lockedUntil = this.#options.now() + ms;
  }

  /** A token as somebody else's login would have got it. */
  grantToken(): string {
    const token = [...randomBytes(64)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#tokens.set(token, this.#options.now());
    return token;
  }

  /** `POST /api/client/v2/token`. */
  logIn(fields: Readonly<Record<string, string | undefined>>): PiaAnswer {
    const { now, username, password } = this.#options;
    if (now() < this.#lockedUntil) {
      return json(429, { status: "error", code: "too_many_attempts", message: "Try again later." });
    }
    if (fields["username"] !== username || fields["password"] !== password) {
      return json(401, { status: "error", code: "unauthorized", message: "Login failed!" });
    }
    return json(200, { status: "OK", token: this.grantToken() });
  }

  /** What a server's port 19999 answers. */
  answer(server: string, { path, query }: PiaRequest): PiaAnswer {
    if (path === "/ping") return { status: 200, body: "pong" };
    if (path === "/getSignature") return this.#getSignature(query["token"] ?? "");
    if (path === "/bindPort") return this.#bindPort(server, query["payload"] ?? "", query["signature"] ?? "");
    return { status: 404, body: "404 page not found" };
  }

  #getSignature(token: string): PiaAnswer {
    const { now } = this.#options;
    const grantedAt = this.#tokens.get(token);
    if (grantedAt === undefined || now() - grantedAt >= piaTerms.tokenMs) {
      return json(401, { status: "ERROR", message: "Unauthorized client" });
    }
    const payload = this.#payload(token);
    const signature = sign(null, Buffer.from(payload), this.#keys.privateKey).toString("base64");
    this.#genuine.add(payload + signature);
    return json(200, { status: "OK", payload, signature });
  }

  #payload(token: string): string {
    const { now, random } = this.#options;
    const { extra, unpadded, createdAt } = this.style;
    const port = 20_000 + Math.floor(random() * 40_000);
    const expiresAt = nanoseconds(new Date(now() + this.signatureMs), random);
    const times = createdAt
      ? { created_at: nanoseconds(new Date(now()), random) }
      : { expires_at: expiresAt };
    const encoded = Buffer.from(JSON.stringify({ token, port, ...times, ...extra })).toString("base64");
    return unpadded ? encoded.replace(/=+$/, "") : encoded;
  }

  #bindPort(server: string, payload: string, signature: string): PiaAnswer {
    // The exact text: a payload that was read and written anew is another one.
    if (!this.#isGenuine(payload, signature)) return json(401, { status: "", message: "bad signature" });
    const { port, expires_at, created_at } = JSON.parse(Buffer.from(payload, "base64").toString()) as {
      port: number;
      expires_at?: string;
      created_at?: string;
    };
    const endsAt = expires_at ? Date.parse(expires_at) : Date.parse(created_at ?? "") + this.signatureMs;
    if (this.#options.now() >= endsAt) return json(400, { status: "ERROR", message: "port expired" });
    const bindings = this.bindings(server);
    if (bindings.isOccupied(port)) {
      return json(409, { status: "", message: `Port ${port} is busy. Please use another server` });
    }
    bindings.bind(port);
    return json(200, { status: "OK", message: "port scheduled for add" });
  }

  /** What was checked once is remembered: a year of bindings is a hundred thousand checks. */
  #isGenuine(payload: string, signature: string): boolean {
    if (this.#genuine.has(payload + signature)) return true;
    return verifies(payload, signature, this.#keys.publicKey);
  }
}

function verifies(payload: string, signature: string, key: KeyObject): boolean {
  return verify(null, Buffer.from(payload), key, Buffer.from(signature, "base64"));
}

/** RFC 3339 as Go writes it: nine digits after the point. */
function nanoseconds(date: Date, random: () => number): string {
  const digits = Math.floor(random() * 1e6);
  return date.toISOString().replace("Z", `${String(digits).padStart(6, "0")}Z`);
}

function json(status: number, body: unknown): PiaAnswer {
  return { status, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}
