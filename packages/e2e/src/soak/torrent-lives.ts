import type { Torrent } from "@qbit-sidecars/qbit-client";
import { type MadeTorrent, makeTorrent } from "@qbit-sidecars/testing";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { WholePod } from "../whole-pod.ts";
import { type Errands, pollMs } from "./errands.ts";
import { Phone } from "./phone.ts";

type LivesOptions = { pod: WholePod; errands: Errands; random: () => number; log: (text: string) => void };

/** A notification that comes again comes within this time. */
const watchedMs = 60_000;

/** Torrents from being added at the source to being handed over: told, sorted and at home meanwhile. */
export class TorrentLives {
  readonly #pod: WholePod;
  readonly #errands: Errands;
  readonly #random: () => number;
  readonly #log: (text: string) => void;
  readonly #phone: Phone;
  /** Sounds that are in the ledger, for each torrent that is complete. */
  readonly #told = new Map<string, number>();
  #torrents = 0;

  constructor({ pod, errands, random, log }: LivesOptions) {
    this.#pod = pod;
    this.#errands = errands;
    this.#random = random;
    this.#log = log;
    this.#phone = new Phone({ url: pod.servers.ntfy.url, password: pod.secrets.ntfyPassword });
  }

  /** One of them. Resolves when nothing of it is left, or when given up. */
  async live(giveUp: AbortSignal): Promise<void> {
    const made = this.#makeTorrent();
    const { torrentId: id } = made;
    await made.write(this.#pod.servers.seeder.savePath);
    if (!(await this.#errands.until(async () => (await this.#keepDownloading(made)) !== undefined, giveUp)))
      return;
    this.#errands.sent("torrent", id);
    this.#errands.sent("piece", id, {
      count: Math.ceil((made.files[0]?.size ?? 0) / made.pieceLength),
    });
    const sorted = this.#runRules(made, { context: "added", tag: "keep", giveUp });
    const isComplete = async () => (await this.#keepDownloading(made))?.progress === 1;
    if (!(await this.#errands.until(isComplete, giveUp))) return;
    this.#errands.sent("notification", id);
    this.#told.set(id, 0);
    await Promise.all([
      sorted,
      this.#runRules(made, { context: "finished", tag: "finished", giveUp }),
      this.#errands.until(() => this.#phone.sounds(id) > 0, giveUp),
      this.#arrival(made, giveUp),
    ]);
    await this.#handOff(made, giveUp);
    await this.#tidyUp(made, giveUp);
  }

  /** Writes each sound of the phone into the ledger. */
  async watchPhone(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#phone.look().catch(() => {});
      for (const [id, told] of this.#told) {
        const sounds = this.#phone.sounds(id);
        for (let count = told; count < sounds; count += 1) {
          this.#errands.done("notification", id);
        }
        this.#told.set(id, sounds);
      }
      await this.#errands.pause(pollMs, signal);
    }
  }

  /** The user adds it wherever it is not, and peers find each other. @returns it, as the source has it */
  async #keepDownloading(made: MadeTorrent): Promise<Torrent | undefined> {
    const { seeder, source } = this.#pod.clients;
    const hashes = [made.torrentId];
    const [atSeeder] = await seeder.torrents.info({ hashes });
    if (atSeeder === undefined) {
      const uploadLimit = 150_000 + Math.round(this.#random() * 150_000);
      await seeder.torrents.add({ files: [made.torrent], skipChecking: true, uploadLimit });
    }
    const atSource = await this.#meetPeers(made);
    if (atSource === undefined) await source.torrents.add({ files: [made.torrent] });
    return atSource;
  }

  /** As trackers and DHT would have it. @returns it, as the source has it */
  async #meetPeers({ torrentId }: MadeTorrent): Promise<Torrent | undefined> {
    const { servers, clients } = this.#pod;
    const [atSource] = await clients.source.torrents.info({ hashes: [torrentId] });
    if (atSource !== undefined && atSource.progress < 1)
      await clients.source.torrents.addPeers([torrentId], [`127.0.0.1:${servers.seeder.listenPort}`]);
    return atSource;
  }

  /** What the hook of a torrent asks for; a job counts from the moment it was acknowledged. */
  async #runRules(
    made: MadeTorrent,
    { context, tag, giveUp }: { context: string; tag: string; giveUp: AbortSignal },
  ): Promise<void> {
    let job = "";
    const isAcknowledged = async () => {
      const query = new URLSearchParams({ context, hash: made.torrentId });
      const { job_id: id } = (await this.#askRules("POST", `/api/execute?${query.toString()}`)) as {
        job_id: string;
      };
      job = id;
      return true;
    };
    if (!(await this.#errands.until(isAcknowledged, giveUp))) return;
    const id = this.#errands.nextId(`${job} ${context} ${made.name}`);
    this.#errands.sent("rule job", id);
    let told = "";
    const isDone = async () => {
      const { status, result, error } = (await this.#askRules("GET", `/api/jobs/${job}`)) as {
        status: string;
        result: unknown;
        error?: unknown;
      };
      if (status !== "completed") {
        if (status === "failed" && told === "") {
          told = `job ${id} failed: ${JSON.stringify(error ?? result)}`;
          this.#log(told);
        }
        return false;
      }
      const [torrent] = await this.#pod.clients.source.torrents.info({ hashes: [made.torrentId] });
      // Handed over meanwhile, with whatever it had.
      if (torrent === undefined) return true;
      if (!torrent.tags.includes(tag) && told === "") {
        told = `job ${id} is completed without its tag: ${JSON.stringify(result)}; tags ${torrent.tags}`;
        this.#log(told);
      }
      return torrent.tags.includes(tag);
    };
    await this.#errands.finish("rule job", id, { isDone, giveUp });
  }

  async #arrival(made: MadeTorrent, giveUp: AbortSignal): Promise<void> {
    const { source, home } = this.#pod.clients;
    const hashes = [made.torrentId];
    const isHome = async () => {
      const [here] = await source.torrents.info({ hashes });
      const [there] = await home.torrents.info({ hashes });
      const isTaggedHere = here === undefined || here.tags.includes("synced");
      return isTaggedHere && there?.tags.includes("synced") === true && there.progress === 1;
    };
    if (!(await this.#errands.until(isHome, giveUp))) return;
    if (!(await this.#isSameAtHome(made))) {
      this.#log(`${made.name} is at home with other bytes than were sent`);
      return;
    }
    for (const kind of ["torrent", "piece"]) this.#errands.done(kind, made.torrentId);
  }

  /** The source is always short of space: what has been seeded for a while is handed over, and seeds at home. */
  async #handOff(made: MadeTorrent, giveUp: AbortSignal): Promise<void> {
    const { home } = this.#pod.clients;
    const hashes = [made.torrentId];
    this.#errands.sent("hand-off", made.torrentId);
    const isHandedOver = async () => {
      // A qBittorrent that was killed has forgotten what it downloaded last, and gets it again.
      const here = await this.#meetPeers(made);
      const [there] = await home.torrents.info({ hashes });
      const isSeeding = ["uploading", "stalledUP"].includes(there?.state ?? "");
      return here === undefined && isSeeding && there?.progress === 1;
    };
    if (!(await this.#errands.until(isHandedOver, giveUp))) return;
    if (await this.#isSameAtHome(made)) this.#errands.done("hand-off", made.torrentId);
    else this.#log(`${made.name} was handed over with other bytes than were sent`);
  }

  async #isSameAtHome({ files }: MadeTorrent): Promise<boolean> {
    const same = files.map(async ({ path, content }) =>
      (await readFile(join(this.#pod.servers.home.savePath, path))).equals(content()),
    );
    return (await Promise.all(same)).every(Boolean);
  }

  /** A day has thousands of torrents, and the disks are small. */
  async #tidyUp({ torrentId: id, files }: MadeTorrent, giveUp: AbortSignal): Promise<void> {
    await this.#errands.pause(5000, giveUp);
    for (const client of Object.values(this.#pod.clients)) {
      await this.#errands.until(async () => {
        await client.torrents.delete([id], { deleteFiles: true });
        return (await client.torrents.info({ hashes: [id] })).length === 0;
      }, giveUp);
    }
    const { seeder, source, home } = this.#pod.servers;
    for (const { path } of files) {
      for (const { savePath } of [seeder, source, home]) await rm(join(savePath, path), { force: true });
    }
    void this.#forgetLater(id, giveUp);
  }

  async #forgetLater(id: string, giveUp: AbortSignal): Promise<void> {
    await this.#errands.pause(watchedMs, giveUp);
    // At the end of the run all stays, for the account.
    if (giveUp.aborted) return;
    for (const kind of ["torrent", "piece", "notification", "hand-off"]) this.#errands.ledger.close(kind, id);
    this.#told.delete(id);
    this.#phone.forget(id);
  }

  async #askRules(method: "GET" | "POST", path: string): Promise<unknown> {
    const answer = await fetch(this.#pod.rulesUrl + path, {
      method,
      headers: { "x-api-key": this.#pod.secrets.rulesKey },
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return await answer.json();
  }

  #makeTorrent(): MadeTorrent {
    this.#torrents += 1;
    const versions = ["v1", "v2", "hybrid"] as const;
    return makeTorrent({
      version: versions[Math.floor(this.#random() * versions.length)] ?? "v1",
      files: [
        { path: `Debian ${this.#torrents}.iso`, size: 1_000_000 + Math.floor(this.#random() * 2_000_000) },
      ],
      pieceLength: 65_536,
      seed: `${this.#torrents}-${this.#random()}`,
    });
  }
}
