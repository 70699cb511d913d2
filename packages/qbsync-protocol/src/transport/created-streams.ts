import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ServerHttp2Stream } from "node:http2";

const channel = "http2.server.stream.created";

/**
 * Tells of each HTTP/2 stream that a server on a local port accepts, before anybody else hears of it. grpc-js has no
 * way to reach the streams of its server; Node tells of them on a diagnostics channel (documented; nodejs/node#58390).
 */
export function onCreatedStream(port: number, tell: (stream: ServerHttp2Stream) => void): Disposable {
  const onMessage = (message: unknown): void => {
    if (isStreamCreated(message) && message.stream.session?.socket.localPort === port) tell(message.stream);
  };
  subscribe(channel, onMessage);
  return { [Symbol.dispose]: () => unsubscribe(channel, onMessage) };
}

const isStreamCreated = (message: unknown): message is { stream: ServerHttp2Stream } =>
  typeof message === "object" && message !== null && "stream" in message;
