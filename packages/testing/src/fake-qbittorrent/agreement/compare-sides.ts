import { setTimeout as delay } from "node:timers/promises";
import { inspect, isDeepStrictEqual } from "node:util";
import type { Json } from "../answers.ts";
import { comparable, comparableView } from "./comparable.ts";
import type { Operation } from "./operation.ts";
import type { Side } from "./side.ts";

/** libtorrent works on its own threads: so long a difference may last before it counts. */
const patienceMs = 5000;

export type Sides = {
  real: Side;
  fake: Side;
  /** From 4.6 to 5.1 a lost answer of `sync/maindata` loses fields. */
  losesFields: boolean;
  /** Called before each torrent is added. */
  putTrustedFiles: () => Promise<void>;
};

/** @throws Disagreement at the first step where the two do not answer alike */
export async function playSequence(sides: Sides, sequence: readonly Operation[]): Promise<void> {
  for (const [step, operation] of sequence.entries()) await play(sides, operation, step);
}

export class Disagreement extends Error {
  override readonly name = "Disagreement";
}

async function play(sides: Sides, operation: Operation, step: number): Promise<void> {
  const what = `step ${step}, ${JSON.stringify(operation)}`;
  if (operation.kind === "read") return await agreeInTheEnd(what, () => ask(sides, operation));
  const name = operation.kind === "change" ? operation.name : "";
  if (name === "torrents/add") await sides.putTrustedFiles();
  const pair = await ask(sides, operation);
  if (!isDeepStrictEqual(pair.real, pair.fake)) throw disagreement(what, pair);
  if (operation.kind === "poll" || operation.kind === "pollFrom") return await compareViews(sides, what);
  await agreeInTheEnd(`torrents after ${what}`, () => ask(sides, look("torrents/info")), diskWork.has(name));
  if (operation.kind !== "change") return;
  await agreeInTheEnd(`categories after ${what}`, () => ask(sides, look("torrents/categories")));
  await agreeInTheEnd(`tags after ${what}`, () => ask(sides, look("torrents/tags")));
  if (operation.name === "app/setPreferences" || operation.name.startsWith("transfer/")) {
    await agreeInTheEnd(`settings after ${what}`, () => ask(sides, look("app/preferences")));
  }
}

function look(name: string): Operation {
  return { kind: "read", name, params: name === "torrents/info" ? { sort: "hash" } : {} };
}

/** Polls on, both together, until the views are the same. */
async function compareViews(sides: Sides, what: string): Promise<void> {
  const { isLost, isOutOfStep } = sides.real.troubles;
  // Which fields are lost depends on what libtorrent had to tell at the time.
  if (isOutOfStep || (isLost && sides.losesFields)) return;
  await agreeInTheEnd(`maindata after ${what}`, async () => {
    const pair = views(sides);
    if (!isDeepStrictEqual(pair.real, pair.fake)) await ask(sides, { kind: "poll", isAnswerLost: false });
    return views(sides);
  });
}

type Pair = { real: Json; fake: Json };

function views({ real, fake }: Sides): Pair {
  return { real: comparableView(real.view), fake: comparableView(fake.view) };
}

async function ask({ real, fake }: Sides, operation: Operation): Promise<Pair> {
  const [ofReal, ofFake] = await Promise.all([real.do(operation), fake.do(operation)]);
  return { real: comparable(operation, ofReal), fake: comparable(operation, ofFake) };
}

/** What libtorrent begins a while after it was asked to: agreeing once may be agreeing too early. */
const diskWork = new Set([
  "torrents/recheck",
  "torrents/setLocation",
  "torrents/setAutoManagement",
  "torrents/setCategory",
]);
const whileMs = 120;

async function agreeInTheEnd(what: string, compare: () => Promise<Pair>, isTwice = false): Promise<void> {
  const deadline = performance.now() + patienceMs;
  let pair = await compare();
  for (let pauseMs = 5; !isDeepStrictEqual(pair.real, pair.fake); pauseMs = Math.min(100, pauseMs * 2)) {
    if (performance.now() > deadline) throw disagreement(what, pair);
    await delay(pauseMs);
    pair = await compare();
  }
  if (!isTwice) return;
  await delay(whileMs);
  await agreeInTheEnd(what, compare);
}

function disagreement(what: string, { real, fake }: Pair): Disagreement {
  const differences = differencesOf(real, fake, "");
  return new Disagreement(`${what}:\n${differences.slice(0, 20).join("\n")}`);
}

function differencesOf(real: unknown, fake: unknown, path: string): string[] {
  if (isDeepStrictEqual(real, fake)) return [];
  if (!isObject(real) || !isObject(fake))
    return [`${path || "/"}: real ${inspect(real)}, fake ${inspect(fake)}`];
  const keys = new Set([...Object.keys(real), ...Object.keys(fake)]);
  return [...keys].flatMap((key) => differencesOf(real[key], fake[key], `${path}/${key}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
