import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { open, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Answers,
  connectQbSync,
  Phase,
  PieceAnswer_Outcome as Outcome,
  type QbSyncClient,
  TorrentDescription,
} from "@qbit-sidecars/qbsync-protocol";
import { freePort, tempDir, tiedToThisProcess, waitFor } from "@qbit-sidecars/testing";
import { megabytes, ratio, type Row } from "./figures.ts";

const mebibyte = 1024 * 1024;
const totalBytes = 512 * mebibyte;
const bundle = fileURLToPath(new URL("../../../apps/qbsync-destination/dist/main.js", import.meta.url));
const bareReceiver = fileURLToPath(new URL("bare-receiver.ts", import.meta.url));

/** Bytes in flight: what a source of the default settings allows itself. */
const windowBytes = 64 * mebibyte;

/** What qbsync-destination takes on loopback, beside raw TCP and the disk in the same run. */
export async function qbsyncReceive(): Promise<Row[]> {
  const tcp = await rawTcp();
  const disk = await rawDisk();
  const bare = await receiveBare(4 * mebibyte);
  const received = await receive(4 * mebibyte);
  const smaller = Math.min(tcp, disk);
  const rate = (name: string, value: number, aim: string): Row => ({
    figure: `qbsync-destination: loopback, pieces of 4 MiB, ${name}`,
    value: perSecond(value),
    baseline: `raw TCP ${perSecond(tcp)}, disk with fdatasync ${perSecond(disk)}`,
    ratio: ratio(value, smaller),
    aim,
  });
  const rows = [
    rate("hashed and written", received.writtenRate, "≥ 0.7×"),
    rate("durable", received.durableRate, "≥ 0.7×"),
    {
      figure: "qbsync-destination: loopback, pieces of 4 MiB, durable, beside a bare receiver",
      value: perSecond(received.durableRate),
      baseline: `${perSecond(bare)} gRPC, SHA-1 and a file, with nothing kept`,
      ratio: ratio(received.durableRate, bare),
      aim: "",
    },
    {
      figure: "qbsync-destination: CPU for 1 GiB received, hashed and durable",
      value: `${(received.cpuSeconds * ((1024 * mebibyte) / totalBytes)).toFixed(2)} s`,
      baseline: "",
      ratio: "",
      aim: "",
    },
  ];
  for (const pieceLength of [1, 4, 16, 64].map((size) => size * mebibyte)) {
    const { peakRss, idleRss } = await receive(pieceLength, ["--max-stream-buffer=128MB"]);
    rows.push({
      figure: `qbsync-destination: memory above idle at its peak, pieces of ${pieceLength / mebibyte} MiB`,
      value: megabytes(peakRss - idleRss),
      baseline: "128.0 MB allowed by --max-stream-buffer",
      ratio: ratio(peakRss - idleRss, 128e6),
      aim: "",
    });
  }
  return rows;
}

const perSecond = (bytes: number): string => `${megabytes(bytes)}/s`;

/** Bytes from this process to another that throws it away. */
async function rawTcp(): Promise<number> {
  const port = await freePort();
  const sink = `require("node:net").createServer((s) => s.resume().on("end", () => s.end("x"))).listen(${port}, "127.0.0.1", () => console.log("up"))`;
  const receiver = tiedToThisProcess(process.execPath, ["-e", sink]);
  const child = spawn(...receiver, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const block = Buffer.alloc(mebibyte);
  const startedAt = performance.now();
  for (let sent = 0; sent < totalBytes; sent += block.length)
    if (!socket.write(block)) await once(socket, "drain");
  socket.end();
  await once(socket, "data");
  child.kill();
  return totalBytes / ((performance.now() - startedAt) / 1000);
}

/** Bytes written in order, with fdatasync at the end. */
async function rawDisk(): Promise<number> {
  await using folder = await tempDir();
  const path = join(folder.path, "file");
  const block = Buffer.alloc(4 * mebibyte, 1);
  const startedAt = performance.now();
  {
    await using file = await open(path, "w");
    for (let at = 0; at < totalBytes; at += block.length) await file.write(block, 0, block.length, at);
    await file.datasync();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await unlink(path);
  return totalBytes / seconds;
}

/** The same without everything that makes it qbsync-destination; see bare-receiver.ts. */
async function receiveBare(pieceLength: number): Promise<number> {
  await using folder = await tempDir();
  const port = await freePort();
  const args = [bareReceiver, port, join(folder.path, "file"), pieceLength, totalBytes].map(String);
  const child = spawn(...tiedToThisProcess(process.execPath, args), { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const client = connectQbSync({ address: `127.0.0.1:${port}` });
  try {
    return (await sendAll(client, pieceLength)).durableRate;
  } finally {
    client.close();
    child.kill();
    await once(child, "exit");
  }
}

async function receive(pieceLength: number, argv: readonly string[] = []) {
  await using folder = await tempDir();
  const [port, healthPort] = [await freePort(), await freePort()];
  const addresses = [`--listen=127.0.0.1:${port}`, `--health-addr=127.0.0.1:${healthPort}`];
  const flags = [`--data=${folder.path}`, ...addresses, "--keep-free=0", "--log-level=warn", ...argv];
  const child = spawn(...tiedToThisProcess(process.execPath, [bundle, ...flags]), {
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    const metric = (name: string): Promise<number> =>
      readMetric(`http://127.0.0.1:${healthPort}/metrics`, name);
    await waitFor(() => metric("qbsync_streams").then(() => true), {
      what: "the destination",
      timeoutMs: 20_000,
    });
    const idleRss = await metric("process_resident_memory_bytes");
    const idleCpu = await metric("process_cpu_seconds_total");
    let peakRss = 0;
    const watching = setInterval(() => {
      void metric("process_resident_memory_bytes").then((rss) => (peakRss = Math.max(peakRss, rss)));
    }, 100);
    const client = connectQbSync({ address: `127.0.0.1:${port}` });
    const rates = await sendAll(client, pieceLength);
    clearInterval(watching);
    client.close();
    return { ...rates, idleRss, peakRss, cpuSeconds: (await metric("process_cpu_seconds_total")) - idleCpu };
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

async function readMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(url)).text();
  return Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")[1],
  );
}

async function sendAll(client: QbSyncClient, pieceLength: number) {
  const payload = Buffer.alloc(pieceLength, "pieces");
  const { torrent, torrentId } = torrentOf(payload, totalBytes / pieceLength);
  await openTorrent(client, { torrent, torrentId });
  const { limits } = await hello(client);
  const chunkBytes = limits?.maxChunkBytes ?? 65_536;
  const pieceCount = totalBytes / pieceLength;
  const done = { written: 0, durable: 0 };
  let writtenAt = 0;
  let wake = (): void => {};
  const stream = client.send();
  stream.on("data", ({ pieces }: Answers) => {
    for (const { outcome, pieces: some } of pieces) {
      if (outcome === Outcome.WRITTEN) done.written += some.length;
      else if (outcome === Outcome.DURABLE) done.durable += some.length;
      else if (outcome !== Outcome.RECEIVED) throw new Error(`outcome ${outcome}`);
    }
    if (done.written === pieceCount) writtenAt ||= performance.now();
    wake();
  });
  const startedAt = performance.now();
  for (let piece = 0; piece < pieceCount; piece += 1) {
    while ((piece - done.written) * pieceLength >= Math.max(windowBytes, pieceLength))
      await new Promise<void>((resolve) => (wake = resolve));
    for (let offset = 0; offset < pieceLength; offset += chunkBytes) {
      const data = payload.subarray(offset, offset + chunkBytes);
      if (!stream.write({ torrentId, piece, offset, data })) await once(stream, "drain");
    }
  }
  while (done.durable < pieceCount) await new Promise<void>((resolve) => (wake = resolve));
  const endedAt = performance.now();
  stream.end();
  await once(stream, "end");
  const rate = (until: number): number => totalBytes / ((until - startedAt) / 1000);
  return { writtenRate: rate(writtenAt), durableRate: rate(endedAt) };
}

/** One file of equal pieces, so that none of it has to be made while the clock runs. */
function torrentOf(payload: Buffer, pieceCount: number): { torrent: Buffer; torrentId: string } {
  const hash = createHash("sha1").update(payload).digest();
  const hashes = Buffer.concat(Array.from({ length: pieceCount }, () => hash));
  const length = payload.length * pieceCount;
  const head = `d6:lengthi${length}e4:name4:file12:piece lengthi${payload.length}e6:pieces${hashes.length}:`;
  const info = Buffer.concat([Buffer.from(head), hashes, Buffer.from("e")]);
  const torrent = Buffer.concat([Buffer.from("d4:info"), info, Buffer.from("e")]);
  return { torrent, torrentId: createHash("sha1").update(info).digest("hex") };
}

async function openTorrent(
  client: QbSyncClient,
  about: { torrent: Buffer; torrentId: string },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const call = client.open((error) => (error ? reject(error) : resolve()));
  call.end({ data: TorrentDescription.encode(TorrentDescription.fromPartial(about)).finish() });
  await promise;
  await waitFor(
    async () => {
      for await (const { phase } of client.query({ torrentIds: [about.torrentId] }))
        return phase === Phase.RECEIVING;
      return false;
    },
    { what: "the torrent to take pieces" },
  );
}

function hello(client: QbSyncClient) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    limits?: { maxChunkBytes: number } | undefined;
  }>();
  client.hello(
    { versions: [1], program: "bench", capabilities: [], sourceName: "", instanceId: "" },
    (error, answer) => (error ? reject(error) : resolve(answer)),
  );
  return promise;
}
