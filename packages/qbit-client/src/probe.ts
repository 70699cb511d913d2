import type { CallOptions } from "./call.ts";
import type { Capabilities } from "./capabilities.ts";
import { QbitError } from "./errors.ts";

export type Probe =
  | { ok: true; capabilities: Capabilities; explanation: string }
  | { ok: false; error: QbitError; explanation: string };

/** Asks for the versions; the errors' own messages are the explanation. */
export async function probe(
  client: { capabilities(options: CallOptions): Promise<Capabilities> },
  options: CallOptions,
): Promise<Probe> {
  try {
    const capabilities = await client.capabilities(options);
    const explanation = `qBittorrent ${capabilities.app} (Web API ${capabilities.webApi}) answers`;
    return { ok: true, capabilities, explanation };
  } catch (error) {
    if (!(error instanceof QbitError)) throw error;
    return { ok: false, error, explanation: error.message };
  }
}
