import {
  Answers,
  PieceAnswer_Outcome as Outcome,
  Phase,
  HelloResponse,
  OpenResponse,
  type QbSyncServer,
  serveQbSync,
  TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/**
 * What is left of qbsync-destination when nothing is kept, checked or answered for: gRPC in, SHA-1 over each chunk, one
 * write after the other to a file, fdatasync for every 64 MiB. The ceiling of what any receiver of these parts can do.
 *
 *     bare-receiver.ts PORT FILE PIECE_BYTES TORRENT_BYTES
 */
const [port, path = "", pieceBytes, totalBytes] = process.argv.slice(2);
const mebibyte = 1024 * 1024;
const syncBytes = 64 * mebibyte;
await using file = await open(path, "w");

const notHere = () => {
  throw new Error("this receiver only receives");
};
const implementation: QbSyncServer = {
  hello: (_call, done) =>
    done(null, HelloResponse.fromPartial({ version: 1, limits: { maxChunkBytes: mebibyte } })),
  query: (call) => {
    const [torrentId = ""] = call.request.torrentIds;
    call.write(TorrentState.fromPartial({ torrentId, phase: Phase.RECEIVING }));
    call.end();
  },
  open: (call, done) => {
    call.resume().on("end", () => done(null, OpenResponse.fromPartial({})));
  },
  send: async (call) => {
    let unsynced = 0;
    let last = Promise.resolve<unknown>(undefined);
    let pieces: number[] = [];
    let torrentId = "";
    const tell = (outcome: Outcome, some: number[]) =>
      call.write(Answers.fromPartial({ pieces: [{ torrentId, pieces: some, outcome }] }));
    const sync = async () => {
      const some = pieces;
      [pieces, unsynced] = [[], 0];
      await file.datasync();
      tell(Outcome.DURABLE, some);
    };
    let hash = createHash("sha1");
    for await (const chunk of call.iterator({ destroyOnReturn: false })) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- grpc-js types its streams as streams of any
      const {
        piece,
        offset,
        data,
        torrentId: id,
      } = chunk as { piece: number; offset: number; data: Uint8Array; torrentId: string };
      torrentId = id;
      hash.update(data);
      await last;
      last = file.write(data, 0, data.length, piece * Number(pieceBytes) + offset);
      unsynced += data.length;
      if (offset + data.length < Number(pieceBytes)) continue;
      hash.digest();
      hash = createHash("sha1");
      await last;
      tell(Outcome.WRITTEN, [piece]);
      pieces.push(piece);
      if (unsynced >= syncBytes || (piece + 1) * Number(pieceBytes) === Number(totalBytes)) await sync();
    }
    call.end();
  },
  finalize: notHere,
  abort: notHere,
  beginHandOff: notHere,
  startSeeding: notHere,
  stopSeeding: notHere,
  sourceRemoved: notHere,
  lookAtSeeding: notHere,
};
await using _serving = await serveQbSync(implementation, {
  address: { host: "127.0.0.1", port: Number(port) },
  windows: { streamBytes: 16 * mebibyte, connectionBytes: 16 * mebibyte },
  maxMessageBytes: mebibyte + 4096,
});
console.log("up");
const { promise, resolve } = Promise.withResolvers<void>();
process.once("SIGTERM", () => resolve());
await promise;
