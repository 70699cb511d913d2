import type { Http2Session } from "node:http2";
import { onCreatedStream } from "./created-streams.ts";

/** What may be on its way to a receiver that has not yet read it, in bytes. */
export type ReceiveWindows = { streamBytes: number; connectionBytes: number };

/**
 * Opens the HTTP/2 receive windows of every connection to a local port. grpc-js lets only clients choose theirs and
 * leaves servers at 64 KiB, which is 2 MB/s at a round trip of 20 ms (grpc-node#3058). The session of each new stream
 * takes new windows by public methods. The first stream of a connection begins with 64 KiB for one round trip.
 */
export function openReceiveWindows(
  port: number,
  { streamBytes, connectionBytes }: ReceiveWindows,
): Disposable {
  const seen = new WeakSet<Http2Session>();
  return onCreatedStream(port, ({ session }) => {
    if (session === undefined || seen.has(session)) return;
    seen.add(session);
    session.setLocalWindowSize(connectionBytes);
    session.settings({ initialWindowSize: streamBytes });
  });
}
