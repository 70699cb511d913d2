import {
  type Metadata,
  ResponderBuilder,
  type ServerInterceptor,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
} from "@grpc/grpc-js";
import type { BearerTokens } from "./bearer-tokens.ts";
import type { GuardedConnection, Rejection } from "./gate.ts";
import type { AdmittedCall } from "./withdrawn-tokens.ts";

type AdmitOptions = {
  connection: (peer: string) => GuardedConnection | undefined;
  /** Without it no token is asked for. */
  accepted: BearerTokens | undefined;
  /** Is told which calls are under way. */
  admitted: Set<AdmittedCall>;
  /** All connections together. */
  callsAtMost: number;
  onRefused: (refusal: Rejection) => void;
};

/** A connection with so many refused calls is closed. */
const refusalsAtMost = 20;

/**
 * Lets calls in, or refuses them before their method hears of them: every call of every method, and fails closed.
 * Whoever is refused is told why, and what would be right.
 */
export function admitCalls({
  connection,
  accepted,
  admitted,
  callsAtMost,
  onRefused,
}: AdmitOptions): ServerInterceptor {
  const refusals = new WeakMap<GuardedConnection, number>();
  const refusalOf = async (peer: string, metadata: Metadata): Promise<Rejection | undefined> => {
    const from = connection(peer);
    if (from === undefined) return { reason: "tls_handshake", peer, detail: "the connection has ended" };
    const refusal = from.refusal ?? (await accepted?.refusalOf(peer, metadata.get("authorization")));
    if (refusal === undefined) {
      if (admitted.size < callsAtMost) return undefined;
      return { reason: "too_many_calls", peer, detail: `${callsAtMost} calls are being answered; try again` };
    }
    const count = (refusals.get(from) ?? 0) + 1;
    refusals.set(from, count);
    if (count > refusalsAtMost) from.close();
    return refusal;
  };
  return (_method, call) => {
    let underWay: AdmittedCall | undefined;
    let isOver = false;
    const ended = (): void => {
      isOver = true;
      if (underWay !== undefined) admitted.delete(underWay);
      underWay = undefined;
    };
    const admit = async (metadata: Metadata, next: (metadata: Metadata) => void): Promise<void> => {
      const peer = call.getPeer();
      const refusal = await refusalOf(peer, metadata);
      if (refusal !== undefined) {
        onRefused(refusal);
        const code = refusal.reason === "too_many_calls" ? status.RESOURCE_EXHAUSTED : status.UNAUTHENTICATED;
        call.sendStatus({ code, details: refusal.detail });
        return;
      }
      // Given up while its token was looked at: nobody would end it.
      if (isOver) return;
      underWay = { peer, authorization: metadata.get("authorization") };
      admitted.add(underWay);
      connection(peer)?.admit();
      // A token is no business of the methods.
      metadata.remove("authorization");
      next(metadata);
    };
    const admitIfKnown = async (...[metadata, next]: Parameters<typeof admit>): Promise<void> => {
      try {
        await admit(metadata, next);
      } catch {
        call.sendStatus({ code: status.UNAVAILABLE, details: "who calls cannot be checked now; try again" });
      }
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => void admitIfKnown(metadata, next))
      .withOnCancel(ended)
      .build();
    return new ServerInterceptingCall(
      call,
      new ResponderBuilder()
        .withStart((next) => next(listener))
        .withSendStatus((result, next) => {
          ended();
          next(result);
        })
        .build(),
    );
  };
}
