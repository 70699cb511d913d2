import {
  HandOffRecord_Step as Step,
  Phase,
  PieceAnswer_Outcome as Outcome,
} from "@qbit-sidecars/qbsync-protocol";
import type { Metrics } from "@qbit-sidecars/service";
import type { TorrentStore } from "./torrent-store.ts";

/** The app's metrics; those of one scrape are read when they are asked for. */
export function measure(
  metrics: Metrics,
  read: {
    store: () => TorrentStore;
    bufferedBytes: () => number;
    streams: () => number;
    finalizing: () => number;
    writesPeak: () => number;
  },
) {
  metrics.reading(
    "qbsync_buffered_bytes",
    "Received bytes that are being hashed and written.",
    read.bufferedBytes,
  );
  metrics.reading("qbsync_streams", "Open streams of pieces.", read.streams);
  metrics.reading("qbsync_finalizing_torrents", "Torrents that are being finished.", read.finalizing);
  metrics.reading("qbsync_writes_peak", "The most writes at the same time since the start.", read.writesPeak);
  metrics.gauge({
    name: "qbsync_torrents",
    help: "Torrents by phase.",
    labelNames: ["phase"],
    collect() {
      this.reset();
      this.set({ phase: "finished" }, read.store().finishedCount);
      for (const { phase } of read.store().unfinished()) this.inc({ phase: phaseName(phase) });
    },
  });
  const outcomes = metrics.counter({
    name: "qbsync_piece_answers_total",
    help: "Answers to pieces.",
    labelNames: ["outcome"],
  });
  const duplicates = metrics.counter({
    name: "qbsync_duplicate_bytes_total",
    help: "Bytes of pieces that came though they were there.",
  });
  const hashed = metrics.counter({
    name: "qbsync_rehashed_bytes_total",
    help: "Bytes that were read from the disk and hashed, and why.",
    labelNames: ["why"],
  });
  const finalizations = metrics.counter({
    name: "qbsync_finalizations_total",
    help: "Attempts to finish a torrent.",
    labelNames: ["result"],
    fromStart: ["finished", "failed", "incomplete"].map((result) => ({ result })),
  });
  const finalizing = metrics.histogram({
    name: "qbsync_finalization_duration_seconds",
    help: "How long finishing a torrent took.",
    buckets: [0.1, 1, 10, 60, 600, 3600, 21_600],
  });
  const commits = metrics.histogram({
    name: "qbsync_commit_duration_seconds",
    help: "How long making written pieces durable took.",
    buckets: [0.005, 0.05, 0.25, 1, 5, 30],
  });
  const received = metrics.counter({
    name: "qbsync_received_bytes_total",
    help: "Bytes of pieces that came.",
  });
  const durable = metrics.counter({ name: "qbsync_durable_bytes_total", help: "Bytes that became durable." });
  const lost = metrics.counter({
    name: "qbsync_lost_pieces_total",
    help: "Stored pieces that turned out to be gone or wrong.",
  });
  const handOffs = metrics.counter({
    name: "qbsync_hand_off_steps_total",
    help: "Steps of hand-offs that were noted.",
    labelNames: ["step"],
  });
  return {
    handOff: (step: Step) => handOffs.inc({ step: nameIn(Step, step) }),
    outcome: (outcome: Outcome) => outcomes.inc({ outcome: outcomeName(outcome) }),
    duplicate: (bytes: number) => duplicates.inc(bytes),
    hashed: (bytes: number, why: "restart" | "reuse" | "finalize") => hashed.inc({ why }, bytes),
    finalized: (result: string, tookMs: number): void => {
      finalizations.inc({ result });
      finalizing.observe(tookMs / 1000);
    },
    received: (bytes: number) => received.inc(bytes),
    committed: (bytes: number, tookMs: number): void => {
      durable.inc(bytes);
      commits.observe(tookMs / 1000);
    },
    lost: (pieces: number) => lost.inc(pieces),
  };
}

const nameIn = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(names)
    .find(([, known]) => known === value)?.[0]
    .toLowerCase() ?? "unknown";

const phaseName = (phase: Phase): string => nameIn(Phase, phase);
const outcomeName = (outcome: Outcome): string => nameIn(Outcome, outcome);
