import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Http2Session, ServerHttp2Stream } from "node:http2";

/** What may be on its way to a receiver that has not yet read it, in bytes. */
export type ReceiveWindows = { streamBytes: number; connectionBytes: number };

const channel = "http2.server.stream.created";

/**
 * Opens the HTTP/2 receive windows of every connection to a local port. grpc-js lets only clients choose theirs and
 * leaves servers at 64 KiB, which is 2 MB/s at a round trip of 20 ms (grpc-node#3058). Node tells of each new stream
 * on a diagnostics channel (documented; nodejs/node#58390), and its session takes new windows by public methods. The
 * first stream of a connection begins with 64 KiB for one round trip.
 */
export function openReceiveWindows(
  port: number,
  { streamBytes, connectionBytes }: ReceiveWindows,
): Disposable {
  const seen = new WeakSet<Http2Session>();
  const onStream = (message: unknown): void => {
    if (!isStreamCreated(message)) return;
    const { session } = message.stream;
    if (session === undefined || seen.has(session) || session.socket.localPort !== port) return;
    seen.add(session);
    session.setLocalWindowSize(connectionBytes);
    session.settings({ initialWindowSize: streamBytes });
  };
  subscribe(channel, onStream);
  return { [Symbol.dispose]: () => unsubscribe(channel, onStream) };
}

const isStreamCreated = (message: unknown): message is { stream: ServerHttp2Stream } =>
  typeof message === "object" && message !== null && "stream" in message;
