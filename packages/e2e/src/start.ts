import { freePort, type MadeTorrent } from "@qbit-sidecars/testing";
import { createInterface } from "node:readline";
import { parseArgs, styleText } from "node:util";
import { tellChapters } from "./chapters.ts";
import { topic } from "./pod-parts.ts";
import {
  drain,
  forwardPorts,
  type LifeNarrator,
  playTorrentLife,
  shareHooks,
} from "./stories/torrent-life.ts";
import { type Outcome, type Story, tellAll, tellStory, type Telling } from "./tell-stories.ts";
import { Terminal } from "./terminal.ts";
import { WholePod } from "./whole-pod.ts";

const usage = `npm start              shows all seven apps at work on real servers until Ctrl-C
npm start -- --life    one torrent's life alone, without what each app does when things go wrong
npm start -- --once    plays each story once; exits 0 only if each was seen to come true`;

const colours = {
  gluetun: "magenta",
  PIA: "magenta",
  "the phone": "magenta",
  "port-sync": "cyan",
  "pia-forwarder": "cyan",
  "ntfy-sidecar": "cyan",
  "rules-server": "cyan",
  "rules-worker": "cyan",
  rules: "cyan",
  "qbsync-source": "cyan",
  "qbsync-destination": "cyan",
  qBittorrent: "blue",
  "the seedbox": "blue",
  home: "blue",
  you: "yellow",
} as const;

/** What every start says, and nobody needs to read here. */
const unremarkable =
  /^(settings|request|run done|rules read|hooks are answered|listening for|health and metrics|API, page|SIG)/u;

/** Characters of what an app says; its log has the rest. */
const widest = 110;

/** A torrent that one can press Enter for takes its name from here. */
const distributions = ["Ubuntu", "Fedora", "Debian"];

const terminal = new Terminal();
const narrator: LifeNarrator = {
  tell: (who, what) => terminal.tell(who, what, colours[who]),
  bars: (bars) => terminal.bars(bars),
};
const wanted = readArguments();
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop.abort());
// Each process that is started has its own way of ending with this one.
process.setMaxListeners(100);

if (wanted === undefined) console.log(usage);
// Ended by hand: a story that was left in its middle may still be waiting for what will not come.
else process.exit(await show(wanted, stop.signal));

type Wanted = { once: boolean; life: boolean };

function readArguments(): Wanted | undefined {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: "boolean", default: false },
        life: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    return values.help ? undefined : values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

/** @returns the exit code */
async function show({ once, life }: Wanted, signal: AbortSignal): Promise<number> {
  terminal.print(styleText("dim", "Getting real servers (the first time this takes a few seconds) …"));
  const over = new AbortController();
  await using pod = await setPod(AbortSignal.any([signal, over.signal]));
  terminal.print(addresses(pod));
  // A person needs a moment between two stories; a script does not.
  const telling = { terminal, signal, pauseMs: once ? 0 : 2000 };
  let told = await tellAll(lifeStories(pod), telling);
  if (told === "true" && !life) {
    told = await tellChapters(telling, (who, what) => terminal.tell(who, what, colours[who]));
  }
  if (once || told !== "true") {
    over.abort();
    return conclude(told);
  }
  terminal.print(whatNext(pod));
  // Awaited here, or the pod would be taken down at once.
  return await stay(pod, telling);
}

/** @param over how the apps take each other's end is no part of the story */
async function setPod(over: AbortSignal): Promise<WholePod> {
  return await WholePod.set({
    onLine(app, { level, msg, err }) {
      if (
        over.aborted ||
        unremarkable.test(msg) ||
        (level !== "info" && level !== "warn" && level !== "error")
      )
        return;
      const what = err === undefined ? msg : `${msg}: ${err.message}`;
      terminal.tell(app, what.length > widest ? `${what.slice(0, widest)} …` : what, colours[app]);
    },
  });
}

function addresses(pod: WholePod): string {
  const { source, home, ntfy } = pod.servers;
  return `
  qBittorrent's WebUI   ${source.url}   behind a stand-in for gluetun; no login needed from here
  home's WebUI          ${home.url}   a second qBittorrent, behind a stand-in for PIA
  the rules page        ${pod.rulesUrl}   key: ${pod.secrets.rulesKey}
  ntfy's web page       ${ntfy.url}/${topic}   open it and watch the card
  port-sync's status    ${pod.health["port-sync"]}/status   also /readyz and /metrics, as of all seven
  qbsync's status       ${pod.health["qbsync-source"]}/status`;
}

function whatNext({ servers, gluetun, apps, folder }: WholePod): string {
  return `
${styleText("bold", "All stories came true, and the pod stays. What to try next:")}

  add a torrent    press Enter for one that downloads at once, or add any at ${servers.source.url}
  change the port  echo -n 23456 > ${gluetun.portFile}
  kill an app      kill -9 ${apps.get("qbsync-source")?.pid}   (qbsync-source); it is started again, and goes on where it was
  write a rule     ${folder}/state/rules/rules.yml; the rules page says what is wrong with it
  break it all     npm run soak -- --minutes 5

Ctrl-C ends it all, and leaves nothing.
`;
}

function lifeStories(pod: WholePod): readonly Story[] {
  const life = Promise.withResolvers<MadeTorrent>();
  return [
    {
      title: "On each side the VPN forwards a port, and qBittorrent listens on it",
      play: async () => forwardPorts({ pod, narrator }, await freePort()),
    },
    {
      title:
        "A torrent's life: a rule sorts it, the phone is told, and its pieces are home while it downloads",
      async play() {
        await shareHooks(pod);
        life.resolve(await playTorrentLife({ pod, narrator }, "Debian 13"));
      },
    },
    {
      title: "Its machine goes away: the torrent is handed over, seeds at home, and is gone from qBittorrent",
      play: async () => drain({ pod, narrator }, await life.promise),
    },
  ];
}

function conclude(outcome: Outcome): number {
  if (outcome === "true") terminal.print(styleText("bold", "\nAll stories came true."));
  if (outcome === "untrue") terminal.print(styleText("red", "\nA story did not come true."));
  return outcome === "untrue" ? 1 : 0;
}

/** Whatever happens is told, and each Enter is one more torrent. */
async function stay(pod: WholePod, telling: Telling): Promise<number> {
  const { signal } = telling;
  if (!process.stdin.isTTY) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return 0;
  }
  let count = 0;
  using lines = createInterface({ input: process.stdin });
  signal.addEventListener("abort", () => lines.close(), { once: true });
  for await (const _ of lines) {
    count += 1;
    const name = `${distributions[count % distributions.length]} ${count}`;
    const story = {
      title: `${name} lives`,
      play: async () => void (await playTorrentLife({ pod, narrator }, name)),
    };
    if ((await tellStory(story, telling)) === "stopped") break;
  }
  return 0;
}
