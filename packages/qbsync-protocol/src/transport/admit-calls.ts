import {
  type Metadata,
  ResponderBuilder,
  type ServerInterceptor,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
} from "@grpc/grpc-js";
import { BearerTokens } from "./bearer-tokens.ts";
import type { GuardedConnection, Rejection } from "./gate.ts";

type AdmitOptions = {
  connection: (peer: string) => GuardedConnection | undefined;
  /** The tokens that are accepted now. Without it no token is asked for. */
  tokens?: (() => Promise<readonly string[]>) | undefined;
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
export function admitCalls({ connection, tokens, callsAtMost, onRefused }: AdmitOptions): ServerInterceptor {
  const accepted = tokens && new BearerTokens(tokens);
  const refusals = new WeakMap<GuardedConnection, number>();
  let running = 0;
  const refusalOf = async (peer: string, metadata: Metadata): Promise<Rejection | undefined> => {
    const from = connection(peer);
    if (from === undefined) return { reason: "tls_handshake", peer, detail: "the connection has ended" };
    const refusal = from.refusal ?? (await accepted?.refusalOf(peer, metadata.get("authorization")));
    if (refusal === undefined) {
      if (running < callsAtMost) return undefined;
      return { reason: "too_many_calls", peer, detail: `${callsAtMost} calls are being answered; try again` };
    }
    const count = (refusals.get(from) ?? 0) + 1;
    refusals.set(from, count);
    if (count > refusalsAtMost) from.close();
    return refusal;
  };
  return (_method, call) => {
    let isRunning = false;
    const ended = (): void => {
      if (isRunning) running -= 1;
      isRunning = false;
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
      running += 1;
      isRunning = true;
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
