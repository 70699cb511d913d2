import { QbitClient } from "@qbit-sidecars/qbit-client";
import { type FakeQbittorrent, startFakeQbittorrent, tempDir } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { rule, rulesOf, torrent } from "../rules-under-test.ts";
import { LibraryIndex } from "../plan/library-index.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { type Job, type JobOptions, runJob } from "./run-job.ts";

const anyShare = { max_deletes_percent: 100 };
const [first, second] = ["0".repeat(40), "1".repeat(40)];

/** Torrents of one name each whose data is the same. */
function sharing(...names: string[]) {
  return names.map((name, at) => ({
    name,
    hash: String(at).repeat(40),
    path: "/data/film",
    savePath: "/data",
    files: [{ path: "film/a.mkv", size: 10 }],
  }));
}

function removing(name: string, deleteFiles: unknown) {
  const remove = { type: "delete_torrent", params: { delete_files: deleteFiles } };
  return { ...rule([{ field: "info.name", operator: "==", value: name }], remove), name };
}

async function run(
  fake: FakeQbittorrent,
  rules: object,
  {
    job = {},
    around = (qbittorrent) => qbittorrent,
    ...options
  }: Partial<JobOptions> & {
    job?: Job;
    around?: (qbittorrent: ClientQbittorrent) => ClientQbittorrent;
  } = {},
) {
  using client = new QbitClient({ url: fake.url });
  const qbittorrent = around(new ClientQbittorrent(client));
  return await runJob(job, { ruleset: rulesOf(rules), qbittorrent, ...options });
}

/** The same qBittorrent, where something happens before a call. */
function before(
  qbittorrent: ClientQbittorrent,
  name: "part" | "torrentFile",
  happens: (argument: unknown) => void,
): ClientQbittorrent {
  return new Proxy(qbittorrent, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      return async (...given: unknown[]): Promise<unknown> => {
        if (key === name) happens(given[0]);
        return await Reflect.apply(member, target, given);
      };
    },
  });
}

function deletions(fake: FakeQbittorrent) {
  return fake.calls
    .list("torrents/delete")
    .map(({ params }) => [params["hashes"]?.split("|").length, params["deleteFiles"]]);
}

describe("if_unshared", () => {
  test("keeps data that another rule of the run wants to be kept, earlier or later", async () => {
    const rules = [removing("one", "if_unshared"), removing("other", false)];
    for (const ordered of [rules, rules.toReversed()]) {
      await using fake = await startFakeQbittorrent({ torrents: sharing("one", "other") });
      await run(fake, { safety: anyShare, rules: ordered });
      expect(fake.torrents).toEqual([]);
      expect(deletions(fake)).toEqual([
        [1, "false"],
        [1, "false"],
      ]);
    }
  });

  test("deletes data of torrents that all go, with the last of them", async () => {
    await using fake = await startFakeQbittorrent({ torrents: sharing("one", "other") });
    const rules = [removing("one", "if_unshared"), removing("other", "if_unshared")];
    await run(fake, { safety: anyShare, rules });
    expect(deletions(fake)).toEqual([
      [1, "false"],
      [1, "true"],
    ]);
  });

  test("deletes it at once when they go in one request", async () => {
    await using fake = await startFakeQbittorrent({ torrents: sharing("t", "t") });
    await run(fake, { safety: anyShare, rules: [removing("t", "if_unshared")] });
    expect(deletions(fake)).toEqual([[2, "true"]]);
  });

  test("keeps the data of a torrent that could not be deleted after all", async () => {
    await using folder = await tempDir();
    await using fake = await startFakeQbittorrent({ torrents: sharing("t", "t") });
    const around = (qbittorrent: ClientQbittorrent) =>
      before(qbittorrent, "torrentFile", (hash) => {
        if (hash === second) throw new Error("no such file");
      });
    const safety = { ...anyShare, export_torrents_to: folder.path };
    const { entries } = await run(fake, { safety, rules: [removing("t", "if_unshared")] }, { around });
    expect(deletions(fake)).toEqual([[1, "false"]]);
    expect(fake.torrents.map(({ hash }) => hash)).toEqual([second]);
    expect(entries.find(({ hash }) => hash === first)?.after).toBe(
      "deleted, data kept: another torrent that uses it is still there",
    );
  });

  test("keeps data that a torrent uses which was added while the run was going on", async () => {
    await using fake = await startFakeQbittorrent({ torrents: sharing("t") });
    const late = () => void fake.addTorrent({ ...sharing("", "late")[1], name: "late" });
    const around = (qbittorrent: ClientQbittorrent) => before(qbittorrent, "part", late);
    const conditions = [
      { field: "info.name", operator: "==", value: "t" },
      { field: "properties.time_elapsed", operator: ">=", value: 0 },
    ];
    const remove = { type: "delete_torrent", params: { delete_files: "if_unshared" } };
    await run(fake, { safety: anyShare, rules: [rule(conditions, remove)] }, { around });
    expect(fake.torrents.map(({ name }) => name)).toEqual(["late"]);
    expect(deletions(fake)).toEqual([[1, "false"]]);
  });

  test("keeps data when the list that should tell who uses it lost most of its torrents", async () => {
    await using fake = await startFakeQbittorrent({ torrents: sharing("t") });
    const options = { job: { hash: first }, lastTotal: 40 };
    const { entries } = await run(fake, { rules: [removing("t", "if_unshared")] }, options);
    expect(deletions(fake)).toEqual([[1, "false"]]);
    expect(entries[0]?.after).toBe("deleted, data kept: nobody knows who uses its data");
  });
});

test.each([
  ["/data/film", "/data/film/"],
  ["/data/film", "/data//film"],
  ["/data/film", "/data/./film"],
  ["/data/film", "/Data/Film"],
  ["C:\\data\\film", "c:/Data/film"],
  ["/data/film", "/data/film/extras/a.mkv"],
  // Composed and decomposed: one file on a Mac.
  ["/data/f\u00E9", "/data/fe\u0301"],
])("%j and %j may be the same data", (one, other) => {
  const torrents = [
    torrent({ hash: first, content_path: one }),
    torrent({ hash: second, content_path: other }),
  ];
  const library = new LibraryIndex(torrents);
  expect(torrents.map((each) => library.sharing(each))).toEqual([[second], [first]]);
});
