import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Maindata } from "./maindata.ts";
import { MaindataStore } from "./maindata-store.ts";
import type { Torrent } from "./torrent.ts";

type Fields = Record<string, string | number | boolean>;
type State = { torrents: Map<string, Fields>; tags: Set<string>; server: Fields };

/** qBittorrent's side of `sync/maindata`: per session the answer last sent, and the one the client has shown to have. */
class SyncServer {
  state: State = { torrents: new Map(), tags: new Set(), server: { dl_info_speed: 0 } };
  session = 1;
  loseNext = false;
  /** The client will find out with its next request, and log in within it. */
  expired = false;
  #sent: { rid: number; state: State } | undefined;
  #accepted: { rid: number; state: State } | undefined;

  relogin(): void {
    this.expired = false;
    this.session += 1;
    this.#sent = undefined;
    this.#accepted = undefined;
  }

  async maindata(rid: number): Promise<Maindata> {
    if (this.expired) this.relogin();
    if (rid !== 0 && this.#sent?.rid === rid) this.#accepted = this.#sent;
    const base = rid !== 0 && this.#accepted?.rid === rid ? this.#accepted : undefined;
    const answer = base === undefined ? full(this.state) : difference(base.state, this.state);
    const next = ((this.#sent?.rid ?? 0) % 5) + 1;
    this.#sent = { rid: next, state: structuredClone(this.state) };
    if (this.loseNext) {
      this.loseNext = false;
      throw new Error("lost");
    }
    return structuredClone({ ...answer, rid: next });
  }
}

function full(state: State): Omit<Maindata, "rid"> {
  const { torrents, tags, server } = state;
  return { full_update: true, torrents: Object.fromEntries(torrents), tags: [...tags], server_state: server };
}

function difference(from: State, to: State): Omit<Maindata, "rid"> {
  const torrents: Record<string, Fields> = {};
  for (const [id, fields] of to.torrents) {
    const old = from.torrents.get(id) ?? {};
    const changed = Object.fromEntries(Object.entries(fields).filter(([name, value]) => old[name] !== value));
    if (Object.keys(changed).length > 0) torrents[id] = changed;
  }
  return {
    torrents,
    torrents_removed: [...from.torrents.keys()].filter((id) => !to.torrents.has(id)),
    tags: [...to.tags].filter((tag) => !from.tags.has(tag)),
    tags_removed: [...from.tags].filter((tag) => !to.tags.has(tag)),
    server_state: to.server,
  };
}

const id = fc.constantFrom("a".repeat(40), "b".repeat(40), "c".repeat(40));
const state = fc.constantFrom("stoppedUP", "downloading", "error");
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("put" as const), id, state, size: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("tag" as const), tag: fc.constantFrom("x", "y") }) },
  { weight: 6, arbitrary: fc.constant({ kind: "poll" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "lose" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "relogin" as const }) },
);

function shown(torrents: Iterable<[string, Fields]>): Record<string, Fields> {
  return Object.fromEntries([...torrents].map(([hash, fields]) => [hash, { ...fields, hash }]));
}

test("after any history of changes, lost answers and new logins a poll shows exactly what is there", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const server = new SyncServer();
      const store = new MaindataStore(server);
      // What a listener knows who only listens to changes.
      const told = new Map<string, Torrent>();
      const poll = async (): Promise<void> => {
        const { added, removed } = await store.poll();
        for (const torrent of removed) told.delete(torrent.hash);
        for (const torrent of added) told.set(torrent.hash, torrent);
      };
      for (const action of steps) {
        if (action.kind === "put")
          server.state.torrents.set(action.id, { name: "n", state: action.state, size: action.size });
        else if (action.kind === "remove") server.state.torrents.delete(action.id);
        else if (action.kind === "tag" && !server.state.tags.delete(action.tag))
          server.state.tags.add(action.tag);
        else if (action.kind === "relogin") server.expired = true;
        else if (action.kind === "lose") {
          server.loseNext = true;
          await store.poll().catch(() => {});
        } else if (action.kind === "poll") await poll();
      }
      await poll();
      expect(Object.fromEntries(store.torrents)).toEqual(shown(server.state.torrents));
      expect(Object.fromEntries(told)).toEqual(shown(server.state.torrents));
      expect([...store.tags].toSorted()).toEqual([...server.state.tags].toSorted());
    }),
    { numRuns: 1000 },
  );
});

describe("a change", () => {
  const hash = "a".repeat(40);

  test("tells what a field was before, after a delta as after a new login", async () => {
    const server = new SyncServer();
    const store = new MaindataStore(server);
    server.state.torrents.set(hash, { name: "n", state: "pausedDL", size: 1 });
    expect(await store.poll()).toMatchObject({
      full: true,
      added: [{ hash, state: "stoppedDL" }],
      changed: [],
    });
    server.state.torrents.set(hash, { name: "n", state: "downloading", size: 1 });
    expect((await store.poll()).changed).toMatchObject([
      { torrent: { state: "downloading" }, before: { state: "stoppedDL" } },
    ]);
    server.relogin();
    server.state.torrents.set(hash, { name: "n", state: "uploading", size: 1 });
    expect(await store.poll()).toMatchObject({
      full: true,
      added: [],
      changed: [{ before: { state: "downloading" } }],
    });
  });

  test("of nothing is empty, and polls become rarer until something happens", async () => {
    const server = new SyncServer();
    const store = new MaindataStore(server);
    await store.poll();
    const waits: number[] = [];
    for (let poll = 0; poll < 5; poll += 1) {
      expect((await store.poll()).changed).toEqual([]);
      waits.push(store.nextPollMs);
    }
    expect(waits).toEqual([6000, 10_000, 10_000, 10_000, 10_000]);
    server.state.torrents.set(hash, { name: "n", state: "downloading" });
    await store.poll();
    expect(store.nextPollMs).toBe(1500);
  });

  test("is told to everybody who polls at the same time, by one request", async () => {
    const server = new SyncServer();
    const store = new MaindataStore(server);
    const [first, second] = await Promise.all([store.poll(), store.poll()]);
    expect(first).toBe(second);
  });
});

test("the free space of a session's first answer is not believed when it is 0", async () => {
  const server = new SyncServer();
  const store = new MaindataStore(server);
  expect(store.freeSpaceBytes).toBeNull();
  server.state.server = { free_space_on_disk: 0 };
  await store.poll();
  expect(store.freeSpaceBytes).toBeNull();
  await store.poll();
  expect(store.freeSpaceBytes).toBe(0);
});

test("a delta for a torrent that nobody has heard of makes the store ask for everything", async () => {
  const asked: number[] = [];
  const answers: Maindata[] = [
    { rid: 1, full_update: true, torrents: {} },
    { rid: 2, torrents: { ["a".repeat(40)]: { progress: 1 } } },
    { rid: 3, full_update: true, torrents: { ["a".repeat(40)]: { name: "n", state: "stoppedUP" } } },
  ];
  const maindata = async (rid: number): Promise<Maindata> => {
    asked.push(rid);
    return answers.shift() ?? { rid: 0 };
  };
  const store = new MaindataStore({ session: 1, maindata });
  await store.poll();
  await store.poll();
  expect(asked).toEqual([0, 1, 0]);
  expect(store.torrents.size).toBe(1);
});

test("after a lost answer everything is asked for, since not every version repeats what was lost", async () => {
  const rids: number[] = [];
  const store = new MaindataStore({
    session: 1,
    maindata(rid) {
      rids.push(rid);
      return rids.length === 2
        ? Promise.reject(new Error("lost"))
        : Promise.resolve({ rid: 7, full_update: true });
    },
  });
  await store.poll();
  await expect(store.poll()).rejects.toThrow("lost");
  await store.poll();
  expect(rids).toEqual([0, 7, 0]);
});
