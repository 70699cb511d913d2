import type { MetadataValue } from "@grpc/grpc-js";
import type { BearerTokens } from "./bearer-tokens.ts";
import type { GuardedConnection, Rejection } from "./gate.ts";

/** A call that was let in and has not ended. */
export type AdmittedCall = { peer: string; authorization: readonly MetadataValue[] };

type WithdrawnOptions = {
  accepted: BearerTokens;
  /** Changes as calls begin and end. */
  admitted: ReadonlySet<AdmittedCall>;
  connection: (peer: string) => GuardedConnection | undefined;
  onRefused: (refusal: Rejection) => void;
  everyMs: number;
};

/**
 * Looks now and then whether the tokens of calls under way are still accepted: a stream of pieces may live for weeks.
 * Where one is not, the whole connection ends, and whoever dials again is asked anew.
 */
export function endWithdrawn(options: WithdrawnOptions): Disposable {
  const timer = setInterval(() => void lookOnce(options), options.everyMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function lookOnce({ accepted, admitted, connection, onRefused }: WithdrawnOptions): Promise<void> {
  const closed = new Set<GuardedConnection>();
  for (const { peer, authorization } of admitted) {
    const from = connection(peer);
    // Tokens that cannot be read now are no tokens that were withdrawn.
    const refusal = await accepted.refusalOf(peer, authorization).catch(() => undefined);
    // Of several calls of one connection the first has ended it.
    if (refusal === undefined || from === undefined || closed.has(from)) continue;
    closed.add(from);
    from.close();
    onRefused({ reason: "token_withdrawn", peer, detail: withdrawn });
  }
}

const withdrawn =
  "its token is none of QBSYNC_DESTINATION_TOKEN any more: what was open with it has ended; QBSYNC_SOURCE_TOKEN must be one of those that are left";
