import { grpcStatus, TorrentDescription } from "@qbit-sidecars/qbsync-protocol";
import { waitFor } from "@qbit-sidecars/testing";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { DescriptionReader } from "./read-description.ts";

const parts = () => new PassThrough({ objectMode: true });
const filled = (bytes: number) => ({ data: new Uint8Array(bytes) });

test("parts are joined", async () => {
  const call = parts();
  const bytes = TorrentDescription.encode(TorrentDescription.fromPartial({ name: "a name" })).finish();
  for (const byte of bytes) call.write({ data: Uint8Array.of(byte) });
  call.end();
  expect(await new DescriptionReader(100).read(call)).toMatchObject({ name: "a name" });
});

test("one that is too long is refused, and so is one too many at the same time; after them others are taken", async () => {
  const reader = new DescriptionReader(100);
  const long = parts();
  long.write(filled(101));
  await expect(reader.read(long)).rejects.toMatchObject({ code: grpcStatus.RESOURCE_EXHAUSTED });
  const waiting = [parts(), parts()];
  const readings = waiting.map((call) => reader.read(call).catch((error: unknown) => error));
  for (const call of waiting) call.write(filled(90));
  await waitFor(() => waiting.every(({ readableLength }) => readableLength === 0), {
    what: "both to be read",
  });
  const third = parts();
  third.write(filled(30));
  await expect(reader.read(third)).rejects.toMatchObject({
    details: "other descriptions are coming in; try again",
  });
  for (const call of waiting) call.destroy(new Error("cut"));
  await Promise.all(readings);
  const last = parts();
  last.end({ data: TorrentDescription.encode(TorrentDescription.fromPartial({ name: "x" })).finish() });
  expect(await reader.read(last)).toMatchObject({ name: "x" });
});

test("a source that falls silent is given up", async () => {
  const call = parts();
  call.write(filled(10));
  await expect(new DescriptionReader(100, { idleMs: 20 }).read(call)).rejects.toMatchObject({
    code: grpcStatus.DEADLINE_EXCEEDED,
  });
});
