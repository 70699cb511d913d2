import type { BlocklistRequest, Notification, Operation } from "../plan/operation.ts";
import type { Change } from "../plan/change.ts";
import { blocklist } from "./arr-blocklist.ts";
import type { Outside, OutsideRequest } from "./seams.ts";

/** Where messages and blocklistings go when the rule does not say. */
export type OutsideSettings = {
  notifyUrl?: string;
  sonarr?: { url: string; apiKey: string };
  radarr?: { url: string; apiKey: string };
};

/** More torrents than this become one message. */
const mostMessages = 5;
const namesInDigest = 10;

export type Digested = { changes: readonly Change[]; message: Notification };

/** One message for each torrent, or one about all of them. */
export function digest(batch: readonly Change[]): Digested[] {
  const single = batch.flatMap((change) =>
    change.operation.kind === "notify" ? [{ changes: [change], message: change.operation.message }] : [],
  );
  const [first] = single;
  if (single.length <= mostMessages || first === undefined) return single;
  const lines = single.slice(0, namesInDigest).map(({ message }) => message.text);
  const more = single.length - lines.length;
  const text = [`${single.length} torrents:`, ...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join(
    "\n",
  );
  return [{ changes: batch, message: { ...first.message, text, body: undefined } }];
}

type OutsideOperation = Operation & { kind: "notify" | "webhook" | "arrBlocklist" };
type Context = {
  outside: Outside;
  settings: OutsideSettings;
  change: Change;
  signal?: AbortSignal | undefined;
};

export async function sendOutside(
  operation: OutsideOperation,
  { outside, settings, change, signal }: Context,
): Promise<void> {
  const { hash, ruleIndex, actionIndex } = change;
  const send = async (request: OutsideRequest) =>
    await outside.send({ ...request, about: { hash, ruleIndex, actionIndex } }, signal);
  if (operation.kind === "arrBlocklist")
    return await blocklist(withSettings(operation.request, settings), change.hash, send);
  const request =
    operation.kind === "notify"
      ? messageRequest(operation.message, settings)
      : jsonRequest(operation.url, operation.body);
  const { status } = await send(request);
  if (status < 200 || status >= 300) throw new Error(`sending a message: the answer was ${status}`);
}

function messageRequest(message: Notification, settings: OutsideSettings): OutsideRequest {
  const { service, text, body } = message;
  const url = message.url ?? settings.notifyUrl;
  if (url === undefined)
    throw new Error("sending a message: neither the rule nor the configuration has a URL");
  if (service === "ntfy")
    return { method: "POST", url, headers: { "content-type": "text/plain; charset=utf-8" }, body: text };
  // A torrent named @everyone should not wake anybody.
  if (service === "discord")
    return jsonRequest(url, { content: text.slice(0, 2000), allowed_mentions: { parse: [] } });
  if (service === "slack")
    return jsonRequest(url, { text: text.replaceAll("&", "&amp;").replaceAll("<", "&lt;") });
  return jsonRequest(url, body ?? { message: text });
}

function jsonRequest(url: string, body: unknown): OutsideRequest {
  return { method: "POST", url, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function withSettings(
  request: BlocklistRequest,
  settings: OutsideSettings,
): BlocklistRequest & { url: string; apiKey: string } {
  const configured = settings[request.service];
  const url = request.url ?? configured?.url;
  const apiKey = request.apiKey ?? configured?.apiKey;
  if (url === undefined || apiKey === undefined)
    throw new Error(
      `blocklisting in ${request.service}: its URL or key is neither in the rule nor configured`,
    );
  return { ...request, url, apiKey };
}
