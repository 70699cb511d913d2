import type { Preferences } from "@qbit-sidecars/qbit-client";
import { describe, expect, test } from "vitest";
import { describeHook, type HookHost, installHooks } from "./install-hooks.ts";

const { signal } = new AbortController();
const to = { url: "http://localhost:9090" };

function host(preferences: Record<string, unknown>) {
  const changes: Partial<Preferences>[] = [];
  const present = { listen_port: 1, ...preferences };
  const fake: HookHost = {
    preferences: () => Promise.resolve(present),
    setPreferences(change) {
      changes.push(change);
      Object.assign(present, change);
      return Promise.resolve();
    },
  };
  return { fake, changes };
}

const none = {
  autorun_enabled: false,
  autorun_program: "",
  autorun_on_torrent_added_enabled: false,
  autorun_on_torrent_added_program: "",
};

describe("hooks are installed", () => {
  test("where none is set, and only once", async () => {
    const { fake, changes } = host(none);
    expect((await installHooks(fake, to, signal)).map(({ outcome }) => outcome)).toEqual([
      "installed",
      "installed",
    ]);
    expect(changes).toEqual([
      {
        autorun_enabled: true,
        autorun_program: 'curl -fsS -m 10 -X POST "http://localhost:9090/done?hash=%I&v2=%J&id=%K"',
        autorun_on_torrent_added_enabled: true,
        autorun_on_torrent_added_program:
          'curl -fsS -m 10 -X POST "http://localhost:9090/track?hash=%I&v2=%J&id=%K"',
      },
    ]);
    expect((await installHooks(fake, to, signal)).map(({ outcome }) => outcome)).toEqual(["there", "there"]);
    expect(changes).toHaveLength(1);
  });

  test("never over another program's command, even one that is switched off", async () => {
    const foreign = {
      autorun_program: "/scripts/cross-seed.sh %I",
      autorun_on_torrent_added_program: "x",
      autorun_enabled: false,
    };
    const { fake, changes } = host({ ...none, ...foreign });
    expect((await installHooks(fake, to, signal)).map(({ outcome }) => outcome)).toEqual([
      "foreign",
      "foreign",
    ]);
    expect(changes).toEqual([]);
  });

  test("not where a command calls another program and this one", async () => {
    const both = `sh -c "curl 'http://rules:5000/x'; curl -X POST 'http://localhost:9090/done?hash=%I&v2=%J&id=%K'"`;
    const { fake, changes } = host({ autorun_enabled: true, autorun_program: both });
    expect((await installHooks(fake, to, signal)).map(({ outcome }) => outcome)).toEqual([
      "unsupported",
      "there",
    ]);
    expect(changes).toEqual([]);
  });

  test("anew when our own address changed, and not where qBittorrent has no such hook", async () => {
    const { fake, changes } = host({ autorun_enabled: true, autorun_program: "" });
    await installHooks(fake, { url: "http://old:9090" }, signal);
    expect((await installHooks(fake, to, signal)).map(({ outcome }) => outcome)).toEqual([
      "unsupported",
      "installed",
    ]);
    expect(changes.at(-1)?.autorun_program).toContain("http://localhost:9090/done");
  });
});

test("what is told of a hook hides the token", async () => {
  const [added] = await installHooks(host(none).fake, { ...to, token: "s3cret" }, signal);
  expect(added?.command).toContain("Bearer s3cret");
  expect(added === undefined ? "" : describeHook(added)).not.toContain("s3cret");
});
