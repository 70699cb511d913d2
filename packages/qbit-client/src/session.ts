import type { Auth, AuthSource } from "./auth.ts";
import { sameAuth } from "./auth.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Clock } from "./clock.ts";
import { CookieJar } from "./cookie-jar.ts";
import { QbitAuthError, QbitBannedError, QbitRejectedError, QbitUnreachableError } from "./errors.ts";
import type { QbitEvent } from "./events.ts";
import { LoginBudget } from "./login-budget.ts";
import {
  bannedError,
  bearer,
  knockRequest,
  logInDoing,
  loginRequest,
  neverArrived,
  notQbittorrent,
  refusedError,
} from "./login.ts";
import { redirectError, statusError } from "./status-error.ts";
import type { HttpAnswer, HttpRequest, Transport } from "./request.ts";
import { SingleFlight } from "./single-flight.ts";
import { isHtml } from "./text.ts";

export interface SessionOptions {
  transport: Transport;
  auth: AuthSource;
  clock: Clock;
  /** How long to send no login after a 403 to one. */
  banMs: number;
  /** Extra headers carry `Authorization: Basic`, which qBittorrent 5.2+ counts as a login. */
  basicHeader: boolean;
  onEvent: (event: QbitEvent) => void;
  /** Called when what was known about the server may be wrong: it was gone, or forgot us. */
  onNewLife: () => void;
}

/** How often qBittorrent is looked for while a login has to wait. */
const knockEveryMs = 15_000;

type Established = { auth: Auth; headers: Readonly<Record<string, string>> };

/** Sends requests as somebody: logs in when needed, once for all callers, and never so often that it is banned. */
export class Session {
  readonly #options: SessionOptions;
  readonly #cookies = new CookieJar();
  readonly #budget = new LoginBudget();
  readonly #establishing = new SingleFlight<Established>();
  #established: Established | undefined;
  #hadSession = false;
  #number = 0;
  /** What was shown last and refused (or never answered). */
  #refused: { auth: Auth; answered: boolean } | undefined;
  #outage: { since: number; refused: boolean } | undefined;
  #lastAnswer = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * Sends a request with the session's cookie or key. A 403 means that qBittorrent no longer knows the session:
   * one new login, one replay (nothing of the request was done: qBittorrent checks the session first).
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const established = await this.#establish(request);
    const answer = await this.#exchange(request, established);
    if (answer.status === 401) throw this.#rejected(request.doing, answer);
    if (answer.status !== 403) return answer;
    const renewed = await this.#renew(established, request);
    const again = await this.#exchange(request, renewed);
    if (again.status === 401) throw this.#rejected(request.doing, again);
    if (again.status === 403) throw await this.#forbidden(renewed.auth, request.doing);
    return again;
  }

  /** Grows with every session: a login, or another cookie, or (with a key, which has no cookie) an outage. */
  get number(): number {
    return this.#number;
  }

  get hasCookie(): boolean {
    return !this.#cookies.empty;
  }

  get url(): URL {
    return this.#options.transport.url;
  }

  /** Tells when the API key opens nothing, and something else let us in. */
  checkKeyIsKnown(capabilities: Capabilities): void {
    if (this.#established?.auth.kind !== "apiKey" || capabilities.atLeast("2.14.1")) return;
    this.#options.onEvent({ type: "apiKeyIgnored", webApi: capabilities.webApi });
  }

  /** Logs in, if that is how this session is opened and it is not open. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#establish({ ...knockRequest(), signal });
  }

  /** Forgets the session, so that the next request logs in. */
  forget(): void {
    this.#established = undefined;
    this.#cookies.clear();
  }

  async #establish(request: HttpRequest): Promise<Established> {
    if (this.#established !== undefined) return this.#established;
    return await this.#establishing.run(async () => await this.#open(), request.signal);
  }

  async #renew(old: Established, request: HttpRequest): Promise<Established> {
    const auth = await this.#currentAuth();
    if (this.#established === old) {
      // An unchanged key, or still nothing to log in with: asking again would only be refused again.
      if (auth.kind !== "password" && sameAuth(auth, old.auth))
        throw await this.#forbidden(auth, request.doing);
      if (old.auth.kind === "password") this.#options.onEvent({ type: "sessionLost" });
      this.forget();
      this.#options.onNewLife();
    }
    return await this.#establish(request);
  }

  async #open(): Promise<Established> {
    const auth = await this.#currentAuth();
    let headers = {};
    if (auth.kind === "apiKey") headers = bearer(auth.apiKey);
    if (auth.kind === "password") await this.#login(auth);
    this.#established = { auth, headers };
    return this.#established;
  }

  async #login(auth: Auth & { kind: "password" }): Promise<void> {
    if (await this.#isLetInAnyway(auth)) return;
    this.#mayTry(auth);
    this.#cookies.clear();
    this.#budget.spend(this.#options.clock.monotonic());
    this.#refused = { auth, answered: false };
    const answer = await this.#watched(loginRequest(auth)).catch((error: unknown) => {
      if (error instanceof QbitUnreachableError && neverArrived.has(error.reason)) this.#budget.refund();
      throw error;
    });
    this.#refused.answered = true;
    await this.#judgeLogin(answer);
    this.#keepCookies(answer);
    this.#budget.renew();
    this.#refused = undefined;
    this.#options.onEvent({ type: "login", again: this.#hadSession });
    this.#hadSession = true;
  }

  #keepCookies(answer: HttpAnswer): void {
    const old = this.#cookies.header();
    this.#cookies.store(answer.headers["set-cookie"]);
    if (this.#cookies.header() !== old) this.#number += 1;
  }

  /** Returns for a login that worked; throws, with the budget put right, for any other answer. */
  async #judgeLogin(answer: HttpAnswer): Promise<void> {
    const { status } = answer;
    const text = answer.body.toString("utf8", 0, 200);
    const ok = (status === 200 || status === 204) && !isHtml(answer);
    if (ok && text.trim() !== "Fails.") return;
    if (status === 403 && !isHtml(answer)) throw this.#ban();
    if (ok || (status === 401 && !(await this.#rejectsEverybody()))) throw this.#credentialsRefused();
    this.#budget.refund();
    if (status === 401) throw this.#rejected(logInDoing, answer);
    if (status >= 300 && status < 400) throw redirectError(answer, logInDoing, this.#options.transport.url);
    if (isHtml(answer)) throw notQbittorrent(answer, this.#options.transport.url);
    throw statusError(answer, { doing: logInDoing, subject: undefined });
  }

  /**
   * Knocks, without credentials (which qBittorrent never counts, not even from a banned address), when a login
   * has to wait: if nobody answers, the server's count and ban are gone, see {@link #lost}. Also when nobody
   * knows what became of the last try: before another one counts, see that the server answers at all.
   *
   * True if that was let in: authentication is bypassed now. No login is tried on the strength of it, because
   * something else than qBittorrent may have answered.
   */
  async #isLetInAnyway(auth: Auth): Promise<boolean> {
    const now = this.#options.clock.monotonic();
    // An Authorization header for a proxy would be credentials to qBittorrent.
    const waits = this.#waitMs(auth) > 0 && !this.#options.basicHeader;
    const isDue = waits && now - this.#lastAnswer >= knockEveryMs;
    if (!isDue && this.#refused?.answered !== false) return false;
    const answer = await this.#watched(knockRequest());
    if (answer.status !== 200 || isHtml(answer)) return false;
    this.#keepCookies(answer);
    return true;
  }

  /** Throws instead of trying when a try could lead to a ban. */
  #mayTry(auth: Auth): void {
    const bannedMs = this.#budget.bannedMs(this.#options.clock.monotonic());
    if (bannedMs > 0) throw bannedError(bannedMs);
    const wait = this.#waitMs(auth);
    if (wait > 0) throw refusedError(wait);
  }

  #waitMs(auth: Auth): number {
    const changed = this.#refused !== undefined && !sameAuth(this.#refused.auth, auth);
    return this.#budget.waitMs(this.#options.clock.monotonic(), changed);
  }

  #credentialsRefused(): QbitAuthError {
    const wait = this.#budget.waitMs(this.#options.clock.monotonic(), false);
    const retryAfterMs = Number.isFinite(wait) ? wait : undefined;
    this.#options.onEvent({ type: "loginRefused", tries: this.#budget.tries, retryAfterMs });
    return refusedError(wait);
  }

  #ban(): QbitBannedError {
    const { banMs, clock, onEvent } = this.#options;
    this.#budget.banned(clock.monotonic(), banMs);
    onEvent({ type: "banned", retryAfterMs: banMs });
    return bannedError(banMs);
  }

  /**
   * From 5.2 both bad credentials and a Host header that qBittorrent does not like answer 401. A request without
   * credentials tells them apart: the Host check refuses it with 401 too, otherwise it is 403 (or let in).
   */
  async #rejectsEverybody(): Promise<boolean> {
    const answer = await this.#watched(knockRequest());
    return answer.status === 401;
  }

  #rejected(doing: string, answer: HttpAnswer): QbitRejectedError {
    if (this.#options.basicHeader) this.#budget.spend(this.#options.clock.monotonic());
    const proxy =
      answer.headers["www-authenticate"] === undefined
        ? ""
        : " (a proxy in front asks for a login of its own)";
    return new QbitRejectedError(
      `${doing}: qBittorrent rejects requests sent to ${this.#options.transport.url.host}${proxy}: ` +
        "check its Host header validation and server domains, and any proxy in between",
    );
  }

  async #forbidden(auth: Auth, doing: string): Promise<QbitAuthError> {
    if (auth.kind === "apiKey")
      return new QbitAuthError(`${doing}: ${await this.#whyKeyRefused(auth.apiKey)}`);
    const why = {
      none: "qBittorrent wants a login, and neither user name and password nor an API key are set",
      password: "logged in, but qBittorrent still answers 403",
    };
    return new QbitAuthError(`${doing}: ${why[auth.kind]}`);
  }

  /** API keys exist since 5.2: older servers ignore the header and show their login page to everybody. */
  async #whyKeyRefused(apiKey: string): Promise<string> {
    const page = await this.#watched({ ...knockRequest(), path: "", headers: bearer(apiKey) });
    return page.status === 200
      ? "this qBittorrent does not know API keys (they came with 5.2): use user and password"
      : "qBittorrent refuses the API key";
  }

  async #currentAuth(): Promise<Auth> {
    const { auth } = this.#options;
    return typeof auth === "function" ? await auth() : auth;
  }

  async #exchange(request: HttpRequest, established: Established): Promise<HttpAnswer> {
    if (this.#options.basicHeader) this.#mayTry(established.auth);
    const cookie = this.#cookies.header();
    const headers = {
      ...request.headers,
      ...established.headers,
      ...(cookie === undefined ? {} : { cookie }),
    };
    const answer = await this.#watched({ ...request, headers });
    // With bypassed authentication qBittorrent opens a session for each request without a cookie, and evicts
    // real users beyond 15 of them (5.3): so its cookie is kept in every mode.
    if (this.#established === established) this.#keepCookies(answer);
    return answer;
  }

  /** Sends, and notices when the server goes away and comes back. */
  async #watched(request: HttpRequest): Promise<HttpAnswer> {
    const { clock, transport, onEvent } = this.#options;
    const started = clock.monotonic();
    const onReplay = (): void => onEvent({ type: "replay", endpoint: request.endpoint });
    const answer = await transport.send({ ...request, onReplay }).catch((error: unknown) => {
      if (error instanceof QbitUnreachableError) this.#lost(error);
      throw error;
    });
    const now = clock.monotonic();
    this.#lastAnswer = now;
    const { endpoint, method } = request;
    onEvent({
      type: "request",
      endpoint,
      method,
      status: answer.status,
      durationMs: now - started,
      bytes: answer.bytes,
    });
    if (this.#outage !== undefined) {
      onEvent({ type: "reachable", outageMs: now - this.#outage.since, restarted: this.#outage.refused });
      this.#outage = undefined;
    }
    return answer;
  }

  #lost(error: QbitUnreachableError): void {
    const { clock, onEvent, onNewLife } = this.#options;
    if (this.#outage === undefined) onEvent({ type: "unreachable", reason: error.reason });
    this.#outage ??= { since: clock.monotonic(), refused: false };
    onNewLife();
    if (this.#established?.auth.kind === "apiKey") this.#number += 1;
    if (error.reason !== "refused") return;
    // Nothing listens: whatever starts there next has no failures counted and no ban in force.
    this.#outage.refused = true;
    this.#budget.renew();
    this.#refused = undefined;
  }
}
