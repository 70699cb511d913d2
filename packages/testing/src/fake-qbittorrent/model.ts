import { type Answer, Refusal, done, noContent } from "./answers.ts";
import { appRoutes } from "./api-app.ts";
import { categoryAndTagRoutes } from "./api-categories-tags.ts";
import { logRoutes } from "./api-log.ts";
import { syncRoutes } from "./api-sync.ts";
import { torrentFileRoutes } from "./api-torrents-files.ts";
import { torrentListRoutes } from "./api-torrents-list.ts";
import { torrentRunRoutes } from "./api-torrents-run.ts";
import { torrentSettingsRoutes } from "./api-torrents-settings.ts";
import { torrentTrackerRoutes } from "./api-torrents-trackers.ts";
import { transferRoutes } from "./api-transfer.ts";
import { type Caller, identify, login, logout, sessionCookie } from "./auth.ts";
import { isCrossSite, isForeignHost } from "./origin.ts";
import { type Params, requireParams } from "./params.ts";
import { applyDuePreferences } from "./preferences.ts";
import type { Route, Routes } from "./route.ts";
import type { FakeState, Session } from "./state.ts";

/** A request as the server read it. Header names in lower case. */
export type FakeRequest = {
  method: string;
  /** Without the query. */
  path: string;
  /** Of the query for GET, of the form otherwise: qBittorrent never looks at both. */
  params: Params;
  files: ReadonlyMap<string, Buffer>;
  headers: Readonly<Record<string, string | undefined>>;
  clientAddress: string;
};

const routes: Routes = {
  ...appRoutes,
  ...transferRoutes,
  ...logRoutes,
  ...syncRoutes,
  ...torrentListRoutes,
  ...torrentRunRoutes,
  ...torrentSettingsRoutes,
  ...torrentTrackerRoutes,
  ...torrentFileRoutes,
  ...categoryAndTagRoutes,
};

/** What qBittorrent would answer: the order of the checks is its own. */
export function answer(state: FakeState, request: FakeRequest): Answer {
  applyDuePreferences(state);
  const cookies: string[] = [];
  try {
    return withCookie(
      process(state, request, (cookie) => cookies.push(cookie)),
      cookies,
    );
  } catch (error) {
    if (error instanceof Refusal) return withCookie(refusal(state, error), cookies);
    throw error;
  }
}

function process(state: FakeState, request: FakeRequest, setCookie: (cookie: string) => void): Answer {
  const caller = admit(state, request);
  if (caller.isNew && caller.session) setCookie(sessionCookie(state, caller.session));
  const [, scope, action] = /^\/api\/v2\/([A-Za-z_]\w*)\/([A-Za-z_]\w*)$/.exec(request.path) ?? [];
  if (scope === undefined || action === undefined) return webUi(caller, request.path);
  if (scope === "auth") return authenticate(state, { caller, request, action, setCookie });
  const session = admitted(state, caller, scope);
  return run(state, { name: `${scope}/${action}`, request, session });
}

function admit(state: FakeState, request: FakeRequest): Caller {
  const isBearer = /^bearer /i.test(request.headers["authorization"] ?? "") && state.profile.has("apiKey");
  if ((!isBearer && isCrossSite(state, request.headers)) || isForeignHost(state, request.headers)) {
    throw new Refusal(401);
  }
  return identify(state, request);
}

/** The page itself; API keys are for the API only. */
function webUi({ byKey }: Caller, path: string): Answer {
  if (byKey || (path !== "/" && path !== "/index.html")) throw new Refusal(404);
  return { status: 200, body: "<!DOCTYPE html><title>qBittorrent WebUI</title>", contentType: "text/html" };
}

type AuthCall = { caller: Caller; request: FakeRequest; action: string; setCookie: (cookie: string) => void };

function authenticate(state: FakeState, { caller, request, action, setCookie }: AuthCall): Answer {
  if (caller.byKey) throw new Refusal(403);
  if (action !== "login" && caller.session === undefined) throw new Refusal(403);
  if (action !== "login" && action !== "logout") throw missingEndpoint(state);
  checkMethod(state, request, { method: "POST" });
  if (action === "logout") return logout(state, caller.session as Session);
  const { username = "", password = "" } = request.params;
  const { answer: welcome, started } = login(state, caller, {
    username,
    password,
    clientAddress: request.clientAddress,
  });
  if (started) setCookie(sessionCookie(state, started));
  return welcome;
}

/** Up to 4.2 a scope nobody has is looked up first; later nothing is told to strangers. */
function admitted(state: FakeState, { session }: Caller, scope: string): Session {
  const isKnown =
    Object.keys(routes).some((name) => name.startsWith(`${scope}/`)) || scope === "rss" || scope === "search";
  if (!isKnown && !state.profile.has("authBeforeScope")) throw new Refusal(404);
  if (session === undefined) throw new Refusal(403);
  if (!isKnown) throw new Refusal(404);
  return session;
}

type Run = { name: string; request: FakeRequest; session: Session };

function run(state: FakeState, { name, request, session }: Run): Answer {
  const { profile } = state;
  const route = currentRoute(state, name);
  checkMethod(state, request, route ?? {});
  if (route === undefined) throw missingEndpoint(state);
  const needs = typeof route.needs === "function" ? route.needs(state) : (route.needs ?? []);
  requireParams(request.params, needs, profile.has("missingParamsAreNamed"));
  const { params, files } = request;
  const isSilent = route.noContentSince !== undefined && profile.atLeast(route.noContentSince);
  return route.run({ state, session, params, files }) ?? (isSilent ? noContent : done);
}

function currentRoute({ profile }: FakeState, name: string): Route | undefined {
  const route = routes[name];
  const isThere =
    route && profile.atLeast(route.since ?? "2.0.0") && !(route.until && profile.atLeast(route.until));
  return isThere ? route : undefined;
}

function missingEndpoint({ profile }: FakeState): Refusal {
  return new Refusal(404, profile.has("missingEndpointIsNamed") ? "Endpoint does not exist" : "");
}

function checkMethod({ profile }: FakeState, { method }: FakeRequest, route: Pick<Route, "method">): void {
  if (!profile.has("postOnlyEndpoints")) return;
  const isRead = method === "GET" || (method === "HEAD" && profile.has("headIsGet"));
  if (!isRead && method !== "POST") throw new Refusal(405);
  if (route.method === "POST" && method !== "POST") throw new Refusal(405);
}

const statusTexts: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  415: "Unsupported Media Type",
};

function refusal({ profile }: FakeState, { status, message }: Refusal): Answer {
  const body = message || (profile.has("statusTextInBody") ? (statusTexts[status] ?? "") : "");
  return body === "" ? { status, body } : { status, body, contentType: "text" };
}

function withCookie(given: Answer, [cookie]: string[]): Answer {
  if (cookie === undefined) return given;
  return { ...given, headers: { "set-cookie": cookie, ...given.headers } };
}
