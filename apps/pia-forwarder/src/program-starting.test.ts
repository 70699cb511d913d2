import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { isForwarded, world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const noLogin = { PIA_USERNAME: undefined, PIA_PASSWORD: undefined };

describe("starting", () => {
  test("with user name and password qBittorrent soon listens on a port that PIA forwards", async () => {
    await using at = await world();
    await using life = at.start();
    const port = await life.settled();
    await waitFor(async () => (await fetch(`${life.health}/readyz`)).status === 200, { what: "being ready" });
    expect(await life.get("/status")).toMatchObject({
      held: true,
      port,
      gateway: "127.0.0.1",
      token: { from: "login" },
      given: { converged: true, port },
      trouble: [],
    });
    const metrics = await life.metrics();
    expect(metrics).toContain(`pia_forwarder_port ${port}`);
    expect(metrics).toContain(`pia_forwarder_qbittorrent_port ${port}`);
    expect(Number(/pia_forwarder_port_expiry_timestamp_seconds (\d+)/u.exec(metrics)?.[1])).toBeGreaterThan(
      (Date.now() + 61 * dayMs) / 1000,
    );
    expect(at.qbittorrent.preferences).toMatchObject({ random_port: false, upnp: false });
  });

  test.each([
    ["the token alone", (token: string) => token],
    [
      "the token and the date of its end, as PIA's script writes it",
      (token: string) => `${token}\nSat Nov 21 23:30:18 2026\n`,
    ],
    ["the token with CRLF", (token: string) => `${token}\r\nirgendwann\r\n`],
  ])("with a token file alone is enough: %s", async (_what, text) => {
    await using at = await world({ env: noLogin });
    await writeFile(join(at.folder, "pia_token"), text(at.pia.model.grantToken()));
    await using life = at.start();
    await life.settled();
    expect(at.pia.tokens.logins()).toBe(0);
    expect(await life.get("/status")).toMatchObject({ token: { from: "file" } });
  });

  test("a good token in the file saves the login, a token PIA refuses is followed by one", async () => {
    await using at = await world();
    const path = join(at.folder, "pia_token");
    await writeFile(path, at.pia.model.grantToken());
    at.pia.model.revokeTokens();
    await using life = at.start();
    await life.settled();
    expect(at.pia.tokens.logins()).toBe(1);
    expect(life.complaints()).toEqual([]);
  });

  test("without a token it says what it needs, and takes the token once it is there", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, env: noLogin });
    await using life = at.start();
    await waitFor(() => life.complaints().some(({ err }) => err?.message.includes("PIA_USERNAME")), {
      what: "a complaint",
    });
    await writeFile(join(at.folder, "pia_token"), at.pia.model.grantToken());
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    expect(life.complaints()).toHaveLength(1);
  });

  test("with only one of user name and password it does not start", async () => {
    await using at = await world();
    await using life = at.start({ env: { PIA_PASSWORD: undefined } });
    expect(await life.exited).toBe(2);
    expect(life.complaints()[0]?.msg).toMatch(/PIA_USERNAME[^]*PIA_PASSWORD/u);
  });

  test("a CHECK_INTERVAL that would lose the port is refused", async () => {
    await using at = await world();
    await using life = at.start({ env: { CHECK_INTERVAL: "901" } });
    expect(await life.exited).toBe(2);
    expect(life.complaints()[0]?.msg).toMatch(/CHECK_INTERVAL[^]*more than 15m/u);
  });

  test("a PIA_CA_CERT that is no certificate is told by name", async () => {
    await using at = await world();
    await writeFile(join(at.folder, "ca.rsa.4096.crt"), "nonsense");
    await using life = at.start();
    expect(await life.exited).toBe(2);
    expect(life.complaints().at(-1)?.msg).toMatch(/^PIA_CA_CERT .* holds no certificate/u);
  });

  test("the gateway is found where the tunnel is", async () => {
    await using at = await world({ env: { PIA_GATEWAY: undefined } });
    await using life = at.start();
    await life.settled();
    expect(await life.get("/status")).toMatchObject({ gateway: "127.0.0.1" });
  });

  test("a server of another name is told by the name it carries, and taken once that is set", async () => {
    await using at = await world({ env: { PIA_HOSTNAME: "zurich406" } });
    await using life = at.start();
    await waitFor(() => life.complaints().length > 0, { what: "a complaint" });
    expect(life.complaints()[0]?.err).toMatchObject({
      type: "PiaCertificateError",
      message: expect.stringContaining("panama408"),
    });
    await using next = at.start({ env: { PIA_HOSTNAME: "panama408" } });
    await next.settled();
  });
});

test("a token file that gets another token is read again when PIA refuses the old one", async () => {
  const clock = new FakeClock(Date.now());
  await using at = await world({ clock, env: noLogin });
  const path = join(at.folder, "pia_token");
  await writeFile(path, at.pia.model.grantToken());
  at.pia.model.revokeTokens();
  await using life = at.start();
  await clock.advanceUntil(() => life.complaints().length > 0, { what: "a complaint" });
  expect(life.complaints()[0]?.err?.type).toBe("PiaUnauthorizedError");
  await writeFile(path, at.pia.model.grantToken());
  await utimes(path, new Date(), new Date());
  await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), {
    what: "the port",
    withinMs: 20 * minuteMs,
  });
});
