import { isMissing, qbittorrentVersionsUnderTest, startQbittorrent, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { world } from "./program.fixture.ts";

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`beside qBittorrent ${version}`, () => {
    test("the port PIA forwards is the one it listens on, across restarts of both, until PIA gives another one", async () => {
      await using qbittorrent = await startQbittorrent({
        version,
        auth: { username: "admin", password: "adminadmin" },
      });
      await using at = await world({
        env: {
          QBITTORRENT_HOST: qbittorrent.url,
          QBITTORRENT_USERNAME: "admin",
          QBITTORRENT_PASSWORD: "adminadmin",
          CHECK_INTERVAL: "1",
        },
      });
      const first = at.start();
      const port = await givenBy(first);
      expect(at.pia.gateway.bindings.isBound(port)).toBe(true);
      await first.stop();
      await qbittorrent.restart();
      await using second = at.start();
      expect(await givenBy(second)).toBe(port);
      at.pia.model.replaceSigningKey();
      const others = async () => [await givenBy(second)].filter((given) => given !== port);
      const [next] = await waitFor(async () => ((await others()).length > 0 ? others() : undefined), {
        what: "another port",
        timeoutMs: 30_000,
      });
      expect(at.pia.gateway.bindings.isBound(next ?? 0)).toBe(true);
      expect(second.lines.filter(({ level }) => level === "error")).toEqual([]);
    });
  });
}

/** The port qBittorrent itself has confirmed: it is read back after each change. */
function givenBy(life: { get(path: string): Promise<Record<string, unknown>> }): Promise<number> {
  return waitFor(
    async () => {
      const { given } = await life.get("/status");
      const { converged, port } = given as { converged: boolean; port: number | null };
      return converged ? port : null;
    },
    { what: "a port that qBittorrent has", timeoutMs: 30_000 },
  );
}
