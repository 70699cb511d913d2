import { status, type ServiceError, type ServerDuplexStream } from "@grpc/grpc-js";
import { once } from "node:events";
import fc from "fast-check";
import { freePort, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { type Answers, PieceChunk, type QbSyncServer } from "../gen/qbit_sidecars/qbsync/v1/qbsync.ts";
import { planBuffers } from "./buffer-plan.ts";
import { ByteBudget } from "./byte-budget.ts";
import { connectQbSync } from "./connect.ts";
import { encodePieceChunk } from "./piece-chunk-codec.ts";
import { serveQbSync } from "./serve.ts";

const mebibyte = 1024 * 1024;
const chunk = (bytes: number): PieceChunk => ({
  torrentId: "a".repeat(40),
  piece: 1,
  offset: 0,
  data: new Uint8Array(bytes),
});

type SendCall = ServerDuplexStream<PieceChunk, Answers>;

async function serving(send: (call: SendCall) => void, port = 0) {
  const unused = (): never => {
    throw new Error("not called in these tests");
  };
  const implementation: QbSyncServer = {
    send,
    hello: unused,
    query: unused,
    open: unused,
    finalize: unused,
    abort: unused,
    startSeeding: unused,
    stopSeeding: unused,
    beginHandOff: unused,
    sourceRemoved: unused,
    lookAtSeeding: unused,
  };
  return serveQbSync(implementation, {
    address: { host: "127.0.0.1", port },
    windows: { streamBytes: 16 * mebibyte, connectionBytes: 16 * mebibyte },
    maxMessageBytes: mebibyte + 1024,
  });
}

describe("a connection", () => {
  test("takes 8 MiB of a sender before anything is read: its window is open", async () => {
    let arrived = 0;
    await using server = await serving((call) => {
      call.once("data", () => call.pause());
      call.on("error", () => {});
    });
    const client = connectQbSync({ address: `127.0.0.1:${server.port}` });
    const call = client.send();
    call.on("error", () => {});
    call.on("data", () => {});
    const countArrived = () => (arrived += mebibyte);
    // 16 are read ahead by grpc-js and would fit a closed window as well, so more than those and 8 beside.
    for (let sent = 0; sent < 28; sent += 1) call.write(chunk(mebibyte), countArrived);
    await waitFor(() => arrived >= 24 * mebibyte, { what: "24 MiB to be sent", timeoutMs: 20_000 });
    call.cancel();
    client.close();
  });

  test("refuses a message above the limit and stays usable", async () => {
    await using server = await serving((call) => {
      call.on("error", () => {});
      call.on("data", () => call.write({ pieces: [], pauses: [] }));
      call.on("end", () => call.end());
    });
    const client = connectQbSync({ address: `127.0.0.1:${server.port}` });
    const large = client.send();
    large.on("data", () => {});
    large.write(chunk(2 * mebibyte));
    const [error]: ServiceError[] = await once(large, "error");
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    const small = client.send();
    small.write(chunk(10));
    expect(await once(small, "data")).toEqual([{ pieces: [], pauses: [] }]);
    small.cancel();
    small.on("error", () => {});
    client.close();
  });

  test("tells in words that its port is taken", async () => {
    const port = await freePort();
    await using _first = await serving(() => {}, port);
    await expect(serving(() => {}, port)).rejects.toThrow(`listening on 127.0.0.1:${port}:`);
  });
});

test("chunks are encoded as the generated code does it", () => {
  fc.assert(
    fc.property(
      fc.record({ torrentId: fc.string(), piece: fc.nat(), offset: fc.nat(), data: fc.uint8Array() }),
      (any) => {
        expect(encodePieceChunk(any)).toEqual(Buffer.from(PieceChunk.encode(any).finish()));
      },
    ),
  );
});

describe("a memory budget", () => {
  test("is never exceeded by what may arrive and what is at work", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2 * mebibyte, max: 4096 * mebibyte }),
        fc.integer({ min: 1, max: 64 }),
        (budget, streams) => {
          const { maxStreams, maxChunkBytes, windows, workBytes } = planBuffers(budget, streams);
          expect(maxStreams * (16 * maxChunkBytes + windows.streamBytes) + workBytes).toBeLessThanOrEqual(
            budget,
          );
          expect(workBytes).toBeGreaterThanOrEqual(maxChunkBytes);
          expect(windows.streamBytes).toBeGreaterThanOrEqual(65_535);
        },
      ),
    );
  });

  test("of 512 MB takes chunks of 1 MiB on 8 streams with windows of 16 MiB", () => {
    expect(planBuffers(512_000_000)).toMatchObject({
      maxStreams: 8,
      maxChunkBytes: mebibyte,
      windows: { streamBytes: 16 * mebibyte },
    });
  });

  test("lets in one after the other, in the order of asking", async () => {
    const budget = new ByteBudget(10);
    const order: string[] = [];
    const first = await budget.take(8);
    const second = budget.take(8).then((release) => (order.push("second"), release));
    const third = budget.take(1).then((release) => (order.push("third"), release));
    expect(order).toEqual([]);
    first();
    first();
    (await second)();
    (await third)();
    expect(order).toEqual(["second", "third"]);
    expect(budget.usedBytes).toBe(0);
  });

  test("gives more than there is to one that asks alone", async () => {
    const budget = new ByteBudget(10);
    const release = await budget.take(1000);
    release();
    expect(budget.usedBytes).toBe(0);
  });
});
