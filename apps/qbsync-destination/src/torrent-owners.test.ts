import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { FinalizeResponse_Step as Step, Phase, Refusal_Reason } from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { expect, test, vi } from "vitest";
import { TestDestination } from "./test-destination.ts";
import { TestSource } from "./test-source.ts";

vi.setConfig({ testTimeout: 60_000 });

const made = makeTorrent({ version: "v1", name: "film", files: [{ path: "film.bin", size: 100_000 }] });

async function stage() {
  const stack = new AsyncDisposableStack();
  const data = stack.use(await tempDir());
  const destination = stack.use(await TestDestination.start([`--data=${data.path}`]));
  /** A run of a source's program, which has a stream from its beginning, as the real one. */
  const connect = async (sourceName: string, instanceId: string): Promise<TestSource> => {
    const source = stack.use(new TestSource(destination.port));
    source.identity = { sourceName, instanceId };
    await source.hello();
    await source.chunk({ torrentId: "f".repeat(40), piece: 0, offset: 0, data: Buffer.alloc(1) });
    await source.answered({ torrentId: "f".repeat(40) }, 0);
    return source;
  };
  return { data: data.path, destination, connect, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test.each([
  ["two sources without a name", "", "", "--source-name"],
  ["two of the same name", "box", "box", "of the same name, at 127.0.0.1"],
  ["two with names", "box", "other", 'the source "box", at 127.0.0.1'],
])(
  "of %s the second neither sends nor drops what the first sends, is told why, and may once the first has gone",
  async (...[, firstName, secondName, words]) => {
    await using at = await stage();
    const first = await at.connect(firstName, "1");
    const second = await at.connect(secondName, "2");
    await first.mustOpen(made);
    const { result } = await second.open(made);
    expect(result).toMatchObject({
      refusal: { reason: Refusal_Reason.BUSY, detail: expect.stringContaining(words) },
    });
    expect(await second.abort(made.torrentId, true)).toMatchObject({ aborted: false });
    await first.mustOpen(made);
    first[Symbol.dispose]();
    await waitFor(async () => (await second.open(made)).result?.$case === "state", {
      what: "the second to be let at it",
    });
    await second.deliver(made);
    expect((await second.finalized(made.torrentId)).step).toBe(Step.FINISHED);
  },
);

test("a source that was restarted goes on, and what is finished is told to whoever asks for it", async () => {
  await using at = await stage();
  const before = await at.connect("", "1");
  await before.mustOpen(made);
  before[Symbol.dispose]();
  const after = await at.connect("", "2");
  await waitFor(async () => (await after.open(made)).result?.$case === "state", { what: "it to go on" });
  await after.deliver(made);
  await after.finalized(made.torrentId);
  const other = await at.connect("", "3");
  expect(await other.mustOpen(made)).toMatchObject({ phase: Phase.FINISHED });
});

test("whose a torrent is outlives a restart: only a source of that name drops it, and then nothing of it is left", async () => {
  await using at = await stage();
  const first = await at.connect("box", "1");
  await first.mustOpen(made);
  await at.destination.restart();
  const other = await at.connect("other", "2");
  expect(await other.state(made.torrentId)).toMatchObject({ sourceName: "box" });
  expect(await other.abort(made.torrentId, true)).toMatchObject({
    aborted: false,
    detail: 'it is the source "box"\'s',
  });
  const again = await at.connect("box", "3");
  expect(await again.abort(made.torrentId, true)).toMatchObject({ aborted: true });
  expect(await readdir(join(at.data, ".qbsync"))).toEqual(["format"]);
});
