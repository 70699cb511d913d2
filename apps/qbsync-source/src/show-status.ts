import { type ProcessLike, serviceUrl } from "@qbit-sidecars/service";
import { setTimeout as delay } from "node:timers/promises";
import { drawStatus, type Rates, type ShownStatus } from "./draw-status.ts";

type StatusOptions = {
  defaultAddr: string;
  addrEnv: readonly string[];
  /** Between two looks. */
  everyMs?: number;
};

type Reading = ShownStatus & { sent_bytes: number };

const help = `Usage: qbsync-source status [--once] [--json] [--all] [--health-addr <[host]:port>]

Shows how far torrents are, from the running service's GET /status: live on a terminal until Ctrl-C, once elsewhere.

  --once         look twice, a second apart, show that, and end
  --json         print what GET /status says, on one line, and end
  --all          with torrents that are synced
  --health-addr  where the service serves its health; default: as the service itself is told by its variables
`;

const flags: readonly string[] = ["--once", "--json", "--all"];

/**
 * `qbsync-source status`: needs no setting but the address of the health listener, so that `docker exec` can run it
 * beside a service that was set up by flags. Resolves to the exit code.
 */
export async function showStatus(
  { argv, env, stdout, stderr }: ProcessLike,
  { defaultAddr, addrEnv, everyMs = 1000 }: StatusOptions,
): Promise<number> {
  const words = argv.slice(3);
  if (words.includes("--help") || words.includes("-h")) return say(stdout, help, 0);
  const unknown = unknownWord(words);
  if (unknown !== undefined) return say(stderr, `status knows no ${unknown}\n\n${help}`, 2);
  const has = (flag: string): boolean => words.includes(flag);
  try {
    const url = serviceUrl({ argv: words, env, defaultAddr, addrEnv }, "/status");
    if (has("--json")) return say(stdout, `${JSON.stringify(await read(url))}\n`, 0);
    const picture = new Picture(stdout, {
      hasColor: stdout.isTTY === true && !env["NO_COLOR"],
      showsAll: has("--all"),
    });
    const isLive = stdout.isTTY === true && !has("--once");
    const looks = lookAgain(url, everyMs);
    for await (const { reading, rates } of looks) {
      picture.draw(reading, rates, isLive);
      if (!isLive) return 0;
    }
    return 0;
  } catch (error) {
    return say(stderr, `${error instanceof Error ? error.message : String(error)}\n`, 1);
  }
}

/** What was drawn last is drawn over. */
class Picture {
  readonly #output: ProcessLike["stdout"];
  readonly #options: { hasColor: boolean; showsAll: boolean };
  #drawn = 0;

  constructor(output: ProcessLike["stdout"], options: { hasColor: boolean; showsAll: boolean }) {
    this.#output = output;
    this.#options = options;
  }

  draw(status: ShownStatus, rates: Rates, isLive: boolean): void {
    const { columns = 80, rows = 24 } = this.#output;
    const lines = drawStatus(status, rates, {
      ...this.#options,
      columns,
      rows: isLive ? rows : Number.POSITIVE_INFINITY,
    });
    const back = this.#drawn > 0 ? `\u001b[${this.#drawn}A\u001b[J` : "";
    this.#output.write(`${back}${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }
}

/** Each reading after the first, with the rates since the one before. */
async function* lookAgain(url: string, everyMs: number): AsyncGenerator<{ reading: Reading; rates: Rates }> {
  let before = { at: performance.now(), reading: await read(url) };
  let rates: Rates | undefined;
  for (;;) {
    await delay(everyMs);
    const now = { at: performance.now(), reading: await read(url) };
    rates = smoothed(rates, ratesBetween(before, now));
    yield { reading: now.reading, rates };
    before = now;
  }
}

function say(output: ProcessLike["stdout"], text: string, code: number): number {
  output.write(text);
  return code;
}

function unknownWord(words: readonly string[]): string | undefined {
  return words.find((word, at) => {
    if (flags.includes(word) || word.startsWith("--health-addr=")) return false;
    return word !== "--health-addr" && words[at - 1] !== "--health-addr";
  });
}

async function read(url: string): Promise<Reading> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch((cause: unknown) => {
    throw new Error(`asking ${url}: is qbsync-source running, and is that its health address?`, { cause });
  });
  if (!response.ok) throw new Error(`asking ${url}: ${response.status} ${(await response.text()).trim()}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same program's own answer
  return (await response.json()) as Reading;
}

type Look = { at: number; reading: Reading };

function ratesBetween(before: Look, now: Look): Rates {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000);
  const perSecond = (bytes: number): number => Math.max(0, bytes) / seconds;
  const earlier = new Map(before.reading.torrents.map(({ id, there_bytes: bytes }) => [id, bytes]));
  return {
    all: perSecond(now.reading.sent_bytes - before.reading.sent_bytes),
    torrents: new Map(
      now.reading.torrents.map(({ id, there_bytes: bytes }) => [
        id,
        perSecond((bytes ?? 0) - (earlier.get(id) ?? bytes ?? 0)),
      ]),
    ),
  };
}

/** So that large pieces do not make the figures jump. */
function smoothed(before: Rates | undefined, now: Rates): Rates {
  if (before === undefined) return now;
  const torrents = [...now.torrents].map(
    ([id, rate]) => [id, mixed(before.torrents.get(id) ?? rate, rate)] as const,
  );
  return { all: mixed(before.all, now.all), torrents: new Map(torrents) };
}

const mixed = (before: number, now: number): number => before * 0.7 + now * 0.3;
