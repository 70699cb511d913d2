import {
  type CallOptions,
  type ClientDuplexStream,
  credentials,
  InterceptingCall,
  type Interceptor,
  Metadata,
  status,
} from "@grpc/grpc-js";
import {
  type Answers,
  type PieceChunk,
  QbSyncClient,
  QbSyncService,
} from "../gen/qbit_sidecars/qbsync/v1/qbsync.ts";
import { type ClientTls, tlsChannel } from "./client-tls.ts";
import { encodePieceChunk } from "./piece-chunk-codec.ts";

export type ConnectOptions = {
  /** Host and port, as grpc-js takes them: `nas:50051`, `192.168.1.100:50051`, `[::1]:50051`. */
  address: string;
  /** Without it nothing is encrypted. */
  tls?: ClientTls | undefined;
  /** Read at each call, so that it can be changed on both sides without a restart. Without it none is sent. */
  token?: (() => Promise<string>) | undefined;
  /** Longest wait between two attempts to connect; default 30 s. */
  reconnectMaxDelayMs?: number;
  /** A connection that does not answer a ping for as long again is dead; default 20 s. */
  keepaliveMs?: number;
};

/** Answers are small, but a `TorrentState` has two bitmaps of up to 256 KiB. */
const maxAnswerBytes = 4 * 1024 * 1024;

/** One TCP connection of its own to a destination, opened at the first call. `close()` ends it. */
export function connectQbSync(options: ConnectOptions): QbSyncClient {
  const { address, token, reconnectMaxDelayMs = 30_000, keepaliveMs = 20_000 } = options;
  const tls = options.tls && tlsChannel(address, options.tls);
  return new Connection(address, tls?.credentials ?? credentials.createInsecure(), {
    ...tls?.options,
    ...(token !== undefined && { interceptors: [bringing(token)] }),
    // Clients of one address would otherwise share one connection.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.keepalive_time_ms": keepaliveMs,
    "grpc.keepalive_timeout_ms": keepaliveMs,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.initial_reconnect_backoff_ms": Math.min(1000, reconnectMaxDelayMs),
    "grpc.max_reconnect_backoff_ms": reconnectMaxDelayMs,
    "grpc.max_receive_message_length": maxAnswerBytes,
    // Repeating calls is the source's own business: it knows what they mean.
    "grpc.enable_retries": 0,
    // A destination is in the local network or at the end of a tunnel, never behind a web proxy.
    "grpc.enable_http_proxy": 0,
  });
}

/** Adds the token to each call. */
function bringing(token: () => Promise<string>): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        void (async () => {
          try {
            metadata.set("authorization", `Bearer ${await token()}`);
          } catch (error) {
            const details = `the token cannot be read: ${error instanceof Error ? error.message : String(error)}`;
            listener.onReceiveStatus({ code: status.UNAVAILABLE, details, metadata: new Metadata() });
            return;
          }
          next(metadata, listener);
        })();
      },
    });
}

type SendCall = ClientDuplexStream<PieceChunk, Answers>;

class Connection extends QbSyncClient {
  override send(): SendCall;
  override send(options: Partial<CallOptions>): SendCall;
  override send(metadata: Metadata, options?: Partial<CallOptions>): SendCall;
  override send(first: Metadata | Partial<CallOptions> = {}, second: Partial<CallOptions> = {}): SendCall {
    const { path, responseDeserialize } = QbSyncService.send;
    const [metadata, options] = first instanceof Metadata ? [first, second] : [new Metadata(), first];
    return this.makeBidiStreamRequest(path, encodePieceChunk, responseDeserialize, metadata, options);
  }
}
