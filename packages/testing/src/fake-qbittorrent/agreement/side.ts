import type { Json } from "../answers.ts";
import { type MaindataView, emptyView, mergeAnswer } from "./maindata-view.ts";
import type { Operation } from "./operation.ts";
import type { Pool } from "./torrent-pool.ts";

export type Seen = { status: number; contentType: string; body: string };

/** One of the two servers that are compared, seen by one client that keeps its cookie. */
export class Side {
  readonly name: string;
  #url: string;
  #pool: Pool;
  #cookie = "";
  #rid = 0;
  #view: MaindataView = emptyView();
  #troubles = { isLost: false, isOutOfStep: false };

  constructor(name: string, url: string, pool: Pool) {
    this.name = name;
    this.#url = url;
    this.#pool = pool;
  }

  async do(operation: Operation): Promise<Seen> {
    if (operation.kind === "poll") return await this.#poll(this.#rid, operation.isAnswerLost);
    if (operation.kind === "pollFrom") return await this.#poll(operation.rid, false);
    if (operation.kind === "read") return await this.get(operation.name, operation.params);
    if (operation.kind === "change")
      return await this.post(operation.name, operation.params, operation.files);
    return await this.get(operation.name, { hashes: "all", hash: "", tags: "x", category: "x" });
  }

  /** What the client made of all the answers of `sync/maindata` that it got. */
  get view(): MaindataView {
    return this.#view;
  }

  /** Since the last full answer: whether one was lost, and whether the client asked with a rid its view is not at. */
  get troubles(): { isLost: boolean; isOutOfStep: boolean } {
    return this.#troubles;
  }

  async #poll(rid: number, isAnswerLost: boolean): Promise<Seen> {
    const seen = await this.get("sync/maindata", { rid: String(rid) });
    const answer = JSON.parse(seen.body) as Record<string, Json>;
    if (rid !== this.#rid) this.#troubles.isOutOfStep = true;
    if (isAnswerLost) this.#troubles.isLost = true;
    else this.#take(answer);
    // Which fields come with which answer depends on when libtorrent tells; what they add up to is compared as a view.
    return {
      ...seen,
      body: JSON.stringify({ rid: answer["rid"], full_update: answer["full_update"] ?? false }),
    };
  }

  #take(answer: Record<string, Json>): void {
    this.#rid = Number(answer["rid"]);
    this.#view = mergeAnswer(this.#view, answer);
    if (answer["full_update"] === true) this.#troubles = { isLost: false, isOutOfStep: false };
  }

  async get(name: string, params: Record<string, string> = {}): Promise<Seen> {
    return await this.#fetch(`${name}?${new URLSearchParams(params).toString()}`, { method: "GET" });
  }

  async post(
    name: string,
    params: Record<string, string>,
    files: readonly (keyof Pool)[] = [],
  ): Promise<Seen> {
    if (files.length === 0) {
      const body = new URLSearchParams(params).toString();
      const type = "application/x-www-form-urlencoded";
      return await this.#fetch(name, { method: "POST", body, headers: { "content-type": type } });
    }
    const form = new FormData();
    for (const [key, value] of Object.entries(params)) form.set(key, value);
    for (const file of files)
      form.append("torrents", new Blob([new Uint8Array(this.#pool[file])]), `${file}.torrent`);
    return await this.#fetch(name, { method: "POST", body: form });
  }

  async #fetch(path: string, init: RequestInit): Promise<Seen> {
    const headers = {
      ...(init.headers as Record<string, string>),
      ...(this.#cookie && { cookie: this.#cookie }),
    };
    const response = await fetch(`${this.#url}/api/v2/${path}`, { ...init, headers });
    const cookie = response.headers.get("set-cookie")?.split(";")[0];
    if (cookie) this.#cookie = cookie;
    return {
      status: response.status,
      contentType: response.headers.get("content-type") ?? "",
      body: await response.text(),
    };
  }
}
