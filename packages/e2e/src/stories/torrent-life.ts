import { type MadeTorrent, makeTorrent, readTopic, waitFor } from "@qbit-sidecars/testing";
import { appNames, topic } from "../pod-parts.ts";
import type { Bar } from "../terminal.ts";
import type { WholePod } from "../whole-pod.ts";

/** Where a life is told: what happens, by whom, and how far things are. */
export type LifeNarrator = {
  tell: (who: LifeTeller, what: string) => void;
  bars: (bars: readonly Bar[]) => void;
};
export type LifeTeller =
  | "gluetun"
  | "qBittorrent"
  | "home"
  | "rules"
  | "the phone"
  | "you"
  | "port-sync"
  | "pia-forwarder";

type Rest = { pod: WholePod; narrator: LifeNarrator };

/** What `GET /status` of qbsync-source says of a torrent. */
type StatusRow = {
  id: string;
  pieces: number | null;
  needed: number | null;
  written_not_durable: number | null;
};

const patienceMs = 60_000;
const bytesPerSecond = 1_500_000;
const torrentBytes = 12 * 1024 * 1024;

/** The VPNs of both qBittorrents forward a port, each listens on its own, and all apps say that they do their job. */
export async function forwardPorts({ pod, narrator: { tell } }: Rest, port: number): Promise<void> {
  tell("gluetun", `the VPN forwards port ${port}`);
  await pod.gluetun.forward(port);
  await until(async () => (await pod.clients.source.app.preferences({})).listen_port === port, {
    what: `qBittorrent listening on ${port}`,
  });
  tell("qBittorrent", `answers: listen_port ${port}`);
  const bound = await until(
    async () => {
      const { listen_port: listening } = await pod.clients.home.app.preferences({});
      return pod.pia.gateway.bindings.isBound(listening) ? listening : undefined;
    },
    { what: "home listening on a port that PIA forwards" },
  );
  tell("home", `answers: listen_port ${bound}, which PIA forwards`);
  const areReady = async () => (await Promise.all(appNames.map((name) => pod.isReady(name)))).every(Boolean);
  await until(areReady, { what: "all seven apps being ready" });
}

/** qBittorrent runs one command for each event, without a shell: both apps hear of it by the same one. */
export async function shareHooks({ clients, hooksUrl, rulesUrl, secrets }: WholePod): Promise<void> {
  const command = (path: string, context: string) =>
    `sh -c "curl -fsS -m 10 -X POST '${hooksUrl}/${path}?hash=%I&v2=%J&id=%K'; ` +
    `curl -sS -m 10 -X POST -H 'X-API-Key: ${secrets.rulesKey}' '${rulesUrl}/api/execute?context=${context}&hash=%K'"`;
  await clients.source.app.setPreferences({
    autorun_on_torrent_added_enabled: true,
    autorun_on_torrent_added_program: command("track", "added"),
    autorun_enabled: true,
    autorun_program: command("done", "finished"),
  });
}

/**
 * One torrent from being added to being told, sorted and at home.
 *
 * @param name begins with a distribution's, so that a rule is about it
 */
export async function playTorrentLife(rest: Rest, name: string): Promise<MadeTorrent> {
  const { pod, narrator } = rest;
  const made = await addTorrent(rest, name);
  await categorized(rest, made);
  const life = new Progress(rest, made);
  await until(() => life.isOver(), { what: `${made.name} at home and on the phone` });
  narrator.bars([]);
  if ((life.startedAt ?? 1) >= 1) throw new Error(`home had nothing of ${name} while it was downloading`);
  const [there] = await pod.clients.home.torrents.info({ hashes: [made.torrentId] });
  narrator.tell("home", `has all of ${made.name}, checked by its own qBittorrent; tags: ${there?.tags}`);
  await finished(rest, made);
  return made;
}

/** The machine of the first qBittorrent is to go away: what it has is handed over, seeds at home, and is gone there. */
export async function drain({ pod, narrator }: Rest, { torrentId, name }: MadeTorrent): Promise<void> {
  const hashes = [torrentId];
  narrator.tell("you", "POST /drain, as before a machine goes away");
  await until(
    async () => {
      // A torrent that was tagged this very second is left for the next time.
      await fetch(`${pod.health["qbsync-source"]}/drain?wait`, { method: "POST" });
      return (await pod.clients.source.torrents.info({ hashes })).length === 0;
    },
    { what: `${name} being gone from the first qBittorrent` },
  );
  narrator.tell("qBittorrent", `has nothing of ${name} any more`);
  const there = await until(
    async () => {
      const [now] = await pod.clients.home.torrents.info({ hashes });
      return now?.progress === 1 && ["uploading", "stalledUP"].includes(now.state) ? now : undefined;
    },
    { what: `home seeding ${name}` },
  );
  narrator.tell("home", `seeds ${name}; tags: ${there.tags}`);
}

async function addTorrent({ pod, narrator: { tell } }: Rest, name: string): Promise<MadeTorrent> {
  const { seeder, source } = pod.clients;
  const files = [{ path: `${name}.iso`, size: torrentBytes }];
  const made = makeTorrent({ version: "hybrid", files, pieceLength: 131_072, seed: name });
  const hashes = [made.torrentId];
  await made.write(pod.servers.seeder.savePath);
  await seeder.torrents.add({ files: [made.torrent], skipChecking: true, uploadLimit: bytesPerSecond });
  tell("you", `add ${made.name}`);
  await source.torrents.add({ files: [made.torrent] });
  await until(
    async () => {
      // Two peers on the loopback address do not find each other by themselves.
      await source.torrents.addPeers(hashes, [`127.0.0.1:${pod.servers.seeder.listenPort}`]);
      return ((await source.torrents.info({ hashes }))[0]?.progress ?? 0) > 0;
    },
    { what: `${name} downloading` },
  );
  return made;
}

async function categorized(
  { pod, narrator: { tell } }: Rest,
  { torrentId, name }: MadeTorrent,
): Promise<void> {
  const torrent = await until(
    async () => {
      const [now] = await pod.clients.source.torrents.info({ hashes: [torrentId] });
      return now?.category === "distributions" && now.tags.includes("keep") ? now : undefined;
    },
    { what: `a rule having sorted ${name}` },
  );
  // What a job did is recorded after it was done.
  const { rule, because } = await until(async () => (await lastJob(pod, torrentId))?.details?.entries[0], {
    what: "its job telling which rule it was",
  });
  tell("rules", `${rule}, because ${because.join("; ")}`);
  tell("qBittorrent", `${name}: category ${torrent.category}, tag ${torrent.tags}`);
}

async function finished({ pod, narrator: { tell } }: Rest, { torrentId, name }: MadeTorrent): Promise<void> {
  const torrent = await until(
    async () => {
      const [now] = await pod.clients.source.torrents.info({ hashes: [torrentId] });
      return now?.tags.includes("finished") === true ? now : undefined;
    },
    { what: `the rule for finished torrents having seen ${name}` },
  );
  tell("qBittorrent", `${name}: tags ${torrent.tags}`);
}

type Job = { job_id: string; hash: string; details?: { entries: { rule: string; because: string[] }[] } };

async function lastJob(pod: WholePod, hash: string): Promise<Job | undefined> {
  const ask = async (path: string): Promise<unknown> => {
    const answer = await fetch(pod.rulesUrl + path, { headers: { "x-api-key": pod.secrets.rulesKey } });
    return await answer.json();
  };
  const { jobs } = (await ask("/api/jobs?limit=20")) as { jobs: Job[] };
  const job = jobs.find((one) => one.hash === hash);
  return job === undefined ? undefined : ((await ask(`/api/jobs/${job.job_id}`)) as Job);
}

/** How far a torrent is on both sides and on the phone, drawn at each look. */
class Progress {
  readonly #rest: Rest;
  readonly #made: MadeTorrent;
  /** What the source had when home had its first pieces, from 0 to 1. */
  startedAt: number | undefined;
  #card = "";

  constructor(rest: Rest, made: MadeTorrent) {
    this.#rest = rest;
    this.#made = made;
  }

  /** Whether it is complete on both sides, tagged on both, and told. */
  async isOver(): Promise<boolean> {
    const { pod, narrator } = this.#rest;
    const hashes = [this.#made.torrentId];
    const [here] = await pod.clients.source.torrents.info({ hashes });
    const [there] = await pod.clients.home.torrents.info({ hashes });
    const isHome = there?.progress === 1 && there.tags.includes("synced");
    const pieces = isHome ? this.#pieces : await this.#durable();
    const downloaded = here?.progress ?? 0;
    narrator.bars([
      { name: "qBittorrent", share: downloaded, text: `${((here?.dlspeed ?? 0) / 1e6).toFixed(1)} MB/s` },
      { name: "home", share: pieces / this.#pieces, text: `${pieces} of ${this.#pieces} pieces on disk` },
    ]);
    await this.#lookAtPhone();
    if (this.startedAt === undefined && pieces > 0) {
      this.startedAt = downloaded;
      narrator.tell("home", `has its first pieces, while qBittorrent has ${Math.floor(downloaded * 100)} %`);
    }
    return isHome && here?.tags.includes("synced") === true && this.#card.includes("Complete");
  }

  get #pieces(): number {
    return Math.ceil((this.#made.files[0]?.size ?? 0) / this.#made.pieceLength);
  }

  /** How many pieces are on home's disk for good, as qbsync-source knows it. */
  async #durable(): Promise<number> {
    const answer = await fetch(`${this.#rest.pod.health["qbsync-source"]}/status`);
    const { torrents } = (await answer.json()) as { torrents: StatusRow[] };
    const row = torrents.find(({ id }) => id === this.#made.torrentId);
    if (row?.pieces == null || row.needed === null) return 0;
    return row.pieces - row.needed - (row.written_not_durable ?? 0);
  }

  /** Tells what the card says whenever it says something else. */
  async #lookAtPhone(): Promise<void> {
    const messages = await readTopic(this.#rest.pod.servers.ntfy.url, topic);
    const last = messages.findLast(
      ({ event, sequence_id: sequence = "" }) =>
        event === "message" && sequence.includes(this.#made.torrentId),
    );
    if (last === undefined) return;
    const sound = (last.priority ?? 3) >= 3 ? "♪ " : "";
    const card = `${sound}${last.title}: ${(last.message ?? "").replaceAll("\n", ", ")}`;
    if (card === this.#card) return;
    this.#card = card;
    this.#rest.narrator.tell("the phone", card);
  }
}

async function until<T>(condition: () => Promise<T>, { what }: { what: string }): Promise<NonNullable<T>> {
  return await waitFor(condition, { what, timeoutMs: patienceMs });
}
