import { createHash, randomBytes } from "node:crypto";
import { lstat, readFile, rm } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { type Auth, QbitAuthError, type QbitEvent } from "@qbit-sidecars/qbit-client";
import { makeFolder } from "./make-folder.ts";
import { writeFileAtomic } from "./write-file-atomic.ts";

const minuteMs = 60_000;

/** How long the same credentials wait after so many refusals; as the client itself waits within one process. */
const waitsMs = [0, minuteMs / 2, 60 * minuteMs, 24 * 60 * minuteMs];

type Refused = { times: number; atMs: number; salt: string; mark: string };

/**
 * Remembers refused logins between runs that end by themselves. qBittorrent bans an address at the fifth, and a cron job
 * with a wrong password would be there in five runs. The file holds a salted mark of the credentials, so that others are
 * tried at once.
 */
export class RefusedLogins {
  readonly #path: string;
  readonly #now: () => number;
  #shown: Auth | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
  }

  /** @throws QbitAuthError when these credentials were refused lately */
  async check(auth: Auth): Promise<void> {
    this.#shown = auth;
    const refused = await this.#read();
    if (refused === undefined || refused.mark !== markOf(auth, refused.salt)) return;
    const leftMs = refused.atMs + waitAfter(refused.times) - this.#now();
    if (leftMs <= 0) return;
    const minutes = Math.ceil(leftMs / minuteMs);
    throw new QbitAuthError(
      `logging in to qBittorrent: it refused this user name and password ${refused.times} times, in this run or an ` +
        `earlier one; the next try is in ${minutes} min, or with others, or once ${this.#path} is removed`,
    );
  }

  /** Takes note of what came of a login. */
  hear({ type }: QbitEvent): void {
    if (type === "login") this.#writing = this.#writing.then(() => rm(this.#path, { force: true }));
    if (type === "loginRefused" || type === "banned")
      this.#writing = this.#writing.then(() => this.#refused(type === "banned"));
  }

  /** Resolves when all of it is on the disk. @throws when it could not be written */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #refused(isBan: boolean): Promise<void> {
    const auth = this.#shown;
    if (auth === undefined) return;
    const before = await this.#read();
    const isSame = before !== undefined && before.mark === markOf(auth, before.salt);
    const salt = isSame ? before.salt : randomBytes(16).toString("hex");
    // A ban lasts an hour, whoever caused it.
    const times = isBan ? 2 : (isSame ? before.times : 0) + 1;
    const refused: Refused = { times, atMs: this.#now(), salt, mark: markOf(auth, salt) };
    await makeFolder(dirname(this.#path));
    await writeFileAtomic(this.#path, JSON.stringify(refused));
  }

  /** In a folder that all may write to, only one's own file counts. */
  async #read(): Promise<Refused | undefined> {
    try {
      const { uid } = await lstat(this.#path);
      if (uid !== userInfo().uid) return undefined;
      const kept: unknown = JSON.parse(await readFile(this.#path, "utf8"));
      return isRefused(kept) ? kept : undefined;
    } catch {
      // None, or half of one: nothing is known.
      return undefined;
    }
  }
}

function isRefused(kept: unknown): kept is Refused {
  if (typeof kept !== "object" || kept === null) return false;
  const { times, atMs, salt, mark }: Partial<Record<keyof Refused, unknown>> = kept;
  return [times, atMs].every(Number.isFinite) && typeof salt === "string" && typeof mark === "string";
}

function waitAfter(times: number): number {
  return waitsMs[Math.min(times, waitsMs.length - 1)] ?? 0;
}

/** Eight digits: enough to tell credentials apart, too few to find them out by. */
function markOf(auth: Auth, salt: string): string {
  return createHash("sha256").update(salt).update(JSON.stringify(auth)).digest("hex").slice(0, 8);
}
