import { type Answer, Refusal, done, noContent, text } from "./answers.ts";
import { type FakeState, type Session, textSetting } from "./state.ts";
import { logLine } from "./state.ts";
import { newSyncMemory } from "./sync.ts";

/** What authentication looks at. Header names in lower case. */
export type Credentials = {
  headers: Readonly<Record<string, string | undefined>>;
  clientAddress: string;
};

const bannedText = "Your IP address has been banned after too many failed authentication attempts.";

/** The one session all users of the API key share. */
const apiKeySessionId = "api key";

/**
 * Who is asking: the API key before the cookie, the cookie before Basic credentials, and those before the bypass.
 *
 * @throws Refusal 403 for a key that is not the key, 401 for Basic credentials that are wrong
 */
export function identify(state: FakeState, { headers, clientAddress }: Credentials): Caller {
  const [scheme = "", token = ""] = (headers["authorization"] ?? "").split(" ");
  if (state.profile.has("apiKey") && scheme.toLowerCase() === "bearer") return byApiKey(state, token);
  const session = liveSession(state, cookies(headers["cookie"])[cookieName(state)]);
  if (session !== undefined) return { session, isNew: false, byKey: false };
  if (!isAuthNeeded(state)) return { session: startSession(state), isNew: true, byKey: false };
  if (state.profile.has("basicAuth") && scheme.toLowerCase() === "basic")
    return byBasic(state, token, clientAddress);
  return { session: undefined, isNew: false, byKey: false };
}

export type Caller = { session: Session | undefined; isNew: boolean; byKey: boolean };

function byApiKey(state: FakeState, token: string): Caller {
  if (state.apiKey === "" || token !== state.apiKey) throw new Refusal(403);
  const session = state.sessions.get(apiKeySessionId) ?? newSession(state, apiKeySessionId);
  session.lastUsedAt = state.now();
  return { session, isNew: false, byKey: true };
}

function byBasic(state: FakeState, token: string, clientAddress: string): Caller {
  const [username = "", ...rest] = Buffer.from(token, "base64").toString().split(":");
  const isRight = checkPassword(state, { username, password: rest.join(":") }, clientAddress);
  if (!isRight) throw new Refusal(401);
  return { session: startSession(state), isNew: true, byKey: false };
}

/** Bypass: the fake's clients are all on the loopback address. */
function isAuthNeeded(state: FakeState): boolean {
  const { preferences } = state;
  const isListed =
    preferences["bypass_auth_subnet_whitelist_enabled"] === true &&
    textSetting(state, "bypass_auth_subnet_whitelist").split(/[\n,]/).some(containsLoopback);
  return preferences["bypass_local_auth"] !== true && !isListed;
}

function containsLoopback(subnet: string): boolean {
  return /^(127\.|0\.0\.0\.0\/0|::1|::\/0)/.test(subnet.trim());
}

/** `auth/login`: a session that is already valid is enough, whatever the credentials are. */
export function login(
  state: FakeState,
  caller: Caller,
  attempt: Attempt,
): { answer: Answer; started?: Session } {
  const answer = state.profile.has("loginStatusCodes") ? noContent : text("Ok.");
  if (caller.session !== undefined) return { answer };
  if (checkPassword(state, attempt, attempt.clientAddress)) return { answer, started: startSession(state) };
  if (state.profile.has("loginStatusCodes")) throw new Refusal(401);
  return { answer: text("Fails.") };
}

type Attempt = { username: string; password: string; clientAddress: string };

/** @throws Refusal 403 while the client is banned, its last chance included */
function checkPassword(
  state: FakeState,
  { username, password }: { username: string; password: string },
  clientAddress: string,
): boolean {
  const failed = state.failedLogins.get(clientAddress);
  if (failed !== undefined && failed.bannedUntil > 0) {
    if (state.now() < failed.bannedUntil) throw new Refusal(403, bannedText);
    state.failedLogins.delete(clientAddress);
  }
  if (username === state.preferences["web_ui_username"] && password === state.password) {
    state.failedLogins.delete(clientAddress);
    return true;
  }
  countFailure(state, clientAddress);
  return false;
}

/** The count never decays: only a success or a served ban ends it. */
function countFailure(state: FakeState, clientAddress: string): void {
  const most = Number(state.preferences["web_ui_max_auth_fail_count"]);
  if (most <= 0) return;
  const failed = state.failedLogins.get(clientAddress) ?? { count: 0, bannedUntil: 0 };
  failed.count++;
  if (failed.count >= most) ban(state, failed);
  state.failedLogins.set(clientAddress, failed);
  logLine(state, 4, `WebAPI login failure. Reason: invalid credentials, attempt count: ${failed.count}`);
}

export function ban(state: FakeState, failed: { bannedUntil: number }): void {
  failed.bannedUntil = state.now() + Number(state.preferences["web_ui_ban_duration"]) * 1000;
}

/** `auth/logout`. */
export function logout(state: FakeState, session: Session): Answer {
  state.sessions.delete(session.id);
  return {
    ...done,
    headers: { "set-cookie": `${cookieName(state)}=; expires=Thu, 01-Jan-1970 00:00:00 GMT; path=/` },
  };
}

function cookieName({ profile, webPort }: FakeState): string {
  return profile.has("cookieNamedByPort") ? `QBT_SID_${webPort}` : "SID";
}

export function sessionCookie(state: FakeState, session: Session): string {
  const name = `${cookieName(state)}=${session.id}; HttpOnly`;
  const secure =
    state.isHttps && state.preferences["web_ui_secure_cookie_enabled"] === true ? "; Secure" : "";
  if (!state.profile.has("expiringCookie")) return `${name}${secure}; path=/; SameSite=Strict`;
  const expires = new Date(state.now() + timeoutMs(state)).toUTCString();
  return `${name}${secure}; SameSite=Lax; expires=${expires}; path=/`;
}

function cookies(header: string | undefined): Record<string, string> {
  const pairs = (header ?? "").split(";").map((pair) => pair.trim().split(/=(.*)/s, 2));
  return Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value.replaceAll(/^"|"$/g, "")]));
}

function liveSession(state: FakeState, id: string | undefined): Session | undefined {
  const session = id === undefined || id === apiKeySessionId ? undefined : state.sessions.get(id);
  if (session === undefined) return undefined;
  if (isExpired(state, session)) {
    state.sessions.delete(session.id);
    return undefined;
  }
  session.lastUsedAt = state.now();
  return session;
}

function timeoutMs({ preferences }: FakeState): number {
  return Number(preferences["web_ui_session_timeout"] ?? 3600) * 1000;
}

function isExpired(state: FakeState, { lastUsedAt }: Session): boolean {
  const timeout = timeoutMs(state);
  return timeout > 0 && state.now() - lastUsedAt > timeout;
}

function startSession(state: FakeState): Session {
  for (const session of state.sessions.values())
    if (isExpired(state, session)) state.sessions.delete(session.id);
  evictOldest(state);
  const bytes = Buffer.from(Array.from({ length: 24 }, () => Math.floor(state.random() * 256)));
  return newSession(state, bytes.toString("base64"));
}

/** 5.3 keeps a limited number of sessions: a client that never sends its cookie pushes the others out. */
function evictOldest(state: FakeState): void {
  if (!state.profile.has("sessionLimit")) return;
  const most = Number(state.preferences["web_ui_sessions_count_limit"] ?? 15);
  const byUse = [...state.sessions.values()].toSorted((left, right) => left.lastUsedAt - right.lastUsedAt);
  for (const { id } of byUse.slice(0, Math.max(0, byUse.length - most + 1))) state.sessions.delete(id);
}

function newSession(state: FakeState, id: string): Session {
  const session = { id, lastUsedAt: state.now(), maindata: newSyncMemory(), peers: newSyncMemory() };
  state.sessions.set(id, session);
  return session;
}
