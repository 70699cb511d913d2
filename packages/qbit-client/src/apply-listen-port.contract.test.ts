import {
  FakeClock,
  freePort,
  isMissing,
  qbittorrentVersionsUnderTest,
  startFakeQbittorrent,
  startQbittorrent,
} from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { applyListenPort } from "./apply-listen-port.ts";
import { QbitClient } from "./client.ts";
import { QbitNotAppliedError } from "./errors.ts";
import type { QbitEvent } from "./events.ts";

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(
    `the listen port of qBittorrent ${version}`,
    () => {
      test("is set, with random ports and UPnP off, and then left alone", async () => {
        await using server = await startQbittorrent({ version });
        using client = new QbitClient({ url: server.url });
        await client.app.setPreferences({ random_port: true });
        const port = await freePort();
        expect(await applyListenPort(client, { port, disableUpnp: true })).toMatchObject({
          outcome: "set",
          after: { port, randomPort: false, upnp: false },
        });
        expect((await applyListenPort(client, { port, disableUpnp: true })).outcome).toBe("unchanged");
        await server.restart();
        expect((await applyListenPort(client, { port })).outcome).toBe("unchanged");
      });

      test("is listened on anew when told to rebind, by way of another port", async () => {
        await using server = await startQbittorrent({ version });
        using client = new QbitClient({ url: server.url });
        const port = server.listenPort;
        for (let round = 0; round < 20; round += 1) {
          const lastKnownId = (await client.log.main()).at(-1)?.id ?? -1;
          expect((await applyListenPort(client, { port, rebind: true })).outcome).toBe("rebound");
          // qBittorrent logs each socket that it opens; both ports must have had theirs, in this order.
          const opened = async (): Promise<string> =>
            (await client.log.main({ lastKnownId }))
              .map(({ message }) => /TCP\/(\d+)/.exec(message)?.[1] ?? "")
              .join(" ");
          await expect.poll(opened, { timeout: 5000 }).toMatch(new RegExp(`${port + 1}.*${port}(?!\\d)`));
        }
      });
    },
  );
}

describe("the listen port of the fake", () => {
  test("is bound again when it has gone deaf, which setting the same port does not do", async () => {
    await using server = await startFakeQbittorrent();
    using client = new QbitClient({ url: server.url });
    const { listen_port: port } = await client.app.preferences();
    server.becomeDeaf();
    await client.app.setPreferences({ listen_port: port, random_port: false });
    expect(server.isListening).toBe(false);
    await applyListenPort(client, { port, rebind: true });
    expect(server.isListening).toBe(true);
  });

  test("is waited for when qBittorrent takes its time", async () => {
    await using server = await startFakeQbittorrent({ applyDelayMs: 300 });
    using client = new QbitClient({ url: server.url });
    expect(await applyListenPort(client, { port: 50_001 })).toMatchObject({
      outcome: "set",
      after: { port: 50_001 },
    });
  });

  test("is an error when it does not come true by the deadline", async () => {
    const clock = new FakeClock();
    await using server = await startFakeQbittorrent({ clock, applyDelayMs: 3_600_000 });
    using client = new QbitClient({ url: server.url, clock });
    const applying = applyListenPort(client, { port: 50_001, deadlineMs: 5000 }).catch(
      (error: unknown) => error,
    );
    let outcome: unknown;
    void applying.then((result) => void (outcome = result));
    await clock.advanceUntil(() => outcome !== undefined, { what: "the deadline", withinMs: 10_000 });
    expect(outcome).toBeInstanceOf(QbitNotAppliedError);
    expect(clock.monotonic()).toBeLessThanOrEqual(5000);
  });

  test.each([0, 50])(
    "is the wanted one at whatever request a rebind is aborted (applied after %i ms)",
    async (applyDelayMs) => {
      await using server = await startFakeQbittorrent({ applyDelayMs });
      const port = Number(server.preferences["listen_port"]);
      const outcomes: string[] = [];
      while (outcomes.at(-1) !== "rebound") {
        const abort = new AbortController();
        let requests = 0;
        const onEvent = ({ type }: QbitEvent): void => {
          if (type === "request" && (requests += 1) > outcomes.length) abort.abort(new Error("SIGTERM"));
        };
        using client = new QbitClient({ url: server.url, onEvent });
        const rebinding = applyListenPort(client, { port, rebind: true, signal: abort.signal });
        outcomes.push(await rebinding.then(({ outcome }) => outcome, String));
        expect(server.calls.list("app/setPreferences").at(-1)?.params["json"] ?? `${port}`).toContain(
          `${port}`,
        );
        await expect.poll(() => server.isListening && server.preferences["listen_port"]).toBe(port);
      }
      expect(outcomes.length).toBeGreaterThan(5);
      // "set": what the round before had asked for last was applied only after this one had begun.
      expect(["Error: SIGTERM", "rebound", "set"]).toEqual(expect.arrayContaining(outcomes));
    },
  );

  test("of an aborted rebind is given up after 5 s, when qBittorrent does not answer any more", async () => {
    const clock = new FakeClock();
    await using server = await startFakeQbittorrent({ clock });
    const abort = new AbortController();
    using client = new QbitClient({
      url: server.url,
      clock,
      onEvent: (event) => {
        if (event.type !== "request" || event.endpoint !== "app/setPreferences") return;
        server.faults.set("*", { kind: "hang" });
        abort.abort(new Error("SIGTERM"));
      },
    });
    const { listen_port: port } = await client.app.preferences();
    let outcome: unknown;
    void applyListenPort(client, { port, rebind: true, signal: abort.signal }).catch(
      (error: unknown) => void (outcome = error),
    );
    await clock.advanceUntil(() => outcome !== undefined, { what: "giving up", withinMs: 5000 });
    expect(outcome).toBe(abort.signal.reason);
    expect(clock.monotonic()).toBe(5000);
  });

  test("must be a port", async () => {
    using client = new QbitClient({ url: "http://127.0.0.1:1" });
    for (const port of [0, 65_536, 1.5, Number.NaN]) {
      await expect(applyListenPort(client, { port })).rejects.toThrow(RangeError);
    }
  });
});
