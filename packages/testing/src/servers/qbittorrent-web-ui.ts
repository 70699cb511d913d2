import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";

type Answer = { status: number; headers: IncomingMessage["headers"]; body: string };

const timeoutMs = 5_000;

/** For the few requests this package needs itself: takes any certificate, since the clients of others are tested. */
function post(url: string, form: Record<string, string>, cookie?: string): Promise<Answer> {
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    ...(cookie !== undefined && { cookie }),
  };
  return new Promise((resolve, reject) => {
    const options = { method: "POST", agent: false, timeout: timeoutMs, rejectUnauthorized: false, headers };
    const request: ClientRequest = send(url, options, (response) => {
      const { statusCode = 0, headers: received } = response;
      text(response).then((body) => resolve({ status: statusCode, headers: received, body }), reject);
    });
    request.on("timeout", () => request.destroy(new Error(`no answer from ${url} within ${timeoutMs} ms`)));
    request.on("error", reject).end(new URLSearchParams(form).toString());
  });
}

/** Whether the Web API answers, whatever the answer. */
export async function webUiAnswers(url: string): Promise<boolean> {
  return (await post(`${url}/api/v2/app/webapiVersion`, {})).status > 0;
}

/** @throws Error when the login or the preferences are refused */
export async function setPreferences(
  server: { url: string; username: string; password: string },
  preferences: Record<string, unknown>,
): Promise<void> {
  const cookie = server.username === "" ? undefined : await logIn(server);
  const form = { json: JSON.stringify(preferences) };
  const { status, body } = await post(`${server.url}/api/v2/app/setPreferences`, form, cookie);
  if (status !== 200 && status !== 204) throw new Error(`setting preferences: HTTP ${status} ${body}`);
}

async function logIn({ url, username, password }: { url: string; username: string; password: string }) {
  const { status, headers } = await post(`${url}/api/v2/auth/login`, { username, password });
  const cookie = headers["set-cookie"]?.[0]?.split(";")[0];
  if (cookie === undefined) throw new Error(`logging in to qBittorrent: HTTP ${status}`);
  return cookie;
}
