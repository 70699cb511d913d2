import { newerFormat, type StateDir } from "@qbit-sidecars/service";
import { literal, looseObject, optional, safeParse, string } from "zod/mini";
import { type Grant, parseJson, readGrant } from "./grant.ts";
import type { Keeper, Kept } from "./hold-port.ts";

/** Name of the state file in STATE_DIR. It holds what can take the port: only its owner may read it (0600). */
export const stateFileName = "port.json";

/** Raised when an older pia-forwarder would misread what is written. */
const format = 1;

type About = { hostname: string | undefined; username: string | undefined; now: () => number };

/** Keeps token and grant in the state file, atomically and durably. */
export function stateFile(folder: Pick<StateDir, "write">, { hostname, username, now }: About): Keeper {
  return {
    save: ({ token, grant, renewAtMs, previous }, { gateway }) =>
      folder.write(
        stateFileName,
        `${JSON.stringify(
          {
            version: format,
            ...(grant && {
              port: grant.port,
              expires_at: new Date(grant.expiresAtMs).toISOString(),
              payload: grant.payload,
              signature: grant.signature,
            }),
            ...(renewAtMs !== undefined && { renew_at: new Date(renewAtMs).toISOString() }),
            ...(previous && { previous: { payload: previous.payload, signature: previous.signature } }),
            ...(token && {
              token: token.value,
              token_obtained_at: new Date(token.obtainedAtMs).toISOString(),
              token_from: token.from,
              ...(username !== undefined && { username }),
            }),
            ...(hostname !== undefined && { hostname }),
            ...(gateway !== undefined && { gateway }),
            saved_at: new Date(now()).toISOString(),
          },
          undefined,
          2,
        )}\n`,
        { mode: 0o600 },
      ),
  };
}

/** Reads what an earlier life has kept. A file that is not ours is nothing kept: `why` says so, without its content. */
export async function readStateFile(
  folder: Pick<StateDir, "read">,
  { username, now }: About,
): Promise<Kept & { why?: string }> {
  const text = await folder.read(stateFileName);
  if (text === undefined) return {};
  const why = stateFault(text);
  const parsed = safeParse(schema(), parseJson(text));
  if (why !== undefined || !parsed.success) return { why: `${stateFileName} cannot be used: ${why}` };
  const kept = parsed.data;
  const grant = grantOf(kept, now());
  const previous = kept.previous && grantOf(kept.previous, now());
  const renewAtMs = Date.parse(kept.renew_at ?? "");
  const obtainedAtMs = Date.parse(kept.token_obtained_at ?? "");
  // Another account's token would get another account's port.
  const isOurs = kept.username === username || username === undefined;
  const token =
    kept.token !== undefined && isOurs && !Number.isNaN(obtainedAtMs)
      ? {
          value: kept.token,
          obtainedAtMs,
          from: kept.token_from === "file" ? ("file" as const) : ("login" as const),
        }
      : undefined;
  return {
    ...(grant && { grant }),
    ...(previous && { previous }),
    ...(token && { token }),
    ...(!Number.isNaN(renewAtMs) && { renewAtMs }),
  };
}

/** Why the text of a state file cannot be used, without its content; undefined where it can. */
export function stateFault(text: string): string | undefined {
  const isOurs = safeParse(schema(), parseJson(text)).success;
  return newerFormat(text, format) ?? (isOurs ? undefined : "it is not a state file of pia-forwarder");
}

function grantOf(
  { payload, signature }: { payload?: string | undefined; signature?: string | undefined },
  nowMs: number,
): Grant | undefined {
  return payload === undefined || signature === undefined ? undefined : readGrant(payload, signature, nowMs);
}

function schema() {
  const text = optional(string());
  return looseObject({
    version: literal(format),
    payload: text,
    signature: text,
    renew_at: text,
    previous: optional(looseObject({ payload: text, signature: text })),
    token: text,
    token_obtained_at: text,
    token_from: text,
    username: text,
    hostname: text,
    gateway: text,
  });
}
