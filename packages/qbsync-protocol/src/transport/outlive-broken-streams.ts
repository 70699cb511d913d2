import { onCreatedStream } from "./created-streams.ts";

/**
 * Keeps the process alive when a client resets a stream in the moment in which it opens it. grpc-js (1.14.7) answers
 * calls of unknown methods and of other content types without looking whether the stream is still there, and Node
 * throws at that (ERR_HTTP2_INVALID_STREAM), outside of everything that could catch it. Found by `fuzz.test.ts` of
 * qbsync-destination.
 */
export const outliveBrokenStreams = (port: number): Disposable =>
  onCreatedStream(port, (stream) => {
    const respond = stream.respond.bind(stream);
    stream.respond = (...answer) => {
      if (!stream.destroyed && !stream.closed) respond(...answer);
    };
  });
