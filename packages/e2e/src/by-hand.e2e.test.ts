import {
  freePort,
  isMissing,
  startFakeNtfy,
  startFakePia,
  startFakeQbittorrent,
  startRedis,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Checkout } from "./checkout.ts";

const patience = { timeoutMs: 30_000 };

test("port-sync's README: what is pasted by hand keeps the port in sync", async () => {
  await using folder = await tempDir();
  await using qbittorrent = await startFakeQbittorrent();
  await mkdir(join(folder.path, "gluetun"));
  await writeFile(join(folder.path, "gluetun", "forwarded_port"), "51413");
  await using checkout = await Checkout.of("port-sync", folder.path, {
    env: { HEALTH_ADDR: `127.0.0.1:${await freePort()}` },
    instead: { "http://localhost:8080": qbittorrent.url, "/tmp/gluetun": join(folder.path, "gluetun") },
  });
  checkout.paste("export QBIT_ADDR");
  await waitFor(() => qbittorrent.preferences["listen_port"] === 51_413, { what: "the port", ...patience });
});

test("pia-forwarder's README: what is pasted by hand holds a port, and its commands tell and do the same", async () => {
  await using folder = await tempDir();
  await using qbittorrent = await startFakeQbittorrent();
  await using pia = await startFakePia({ username: "p1234567" });
  await writeFile(join(folder.path, "pia_password.txt"), `${pia.password}\r\n`);
  await writeFile(join(folder.path, "ca.rsa.4096.crt"), pia.ca);
  await using checkout = await Checkout.of("pia-forwarder", folder.path, {
    env: {
      HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      PIA_TOKEN_FILE: join(folder.path, "pia_token"),
      PIA_TOKEN_URL: pia.tokens.url,
      PIA_GATEWAY: pia.gateway.address,
      PIA_GATEWAY_PORT: String(pia.port),
      QBITTORRENT_HOST: qbittorrent.url,
    },
  });
  checkout.paste("export PIA_USERNAME");
  const isForwarded = () => pia.gateway.bindings.isBound(Number(qbittorrent.preferences["listen_port"]));
  await waitFor(isForwarded, { what: "the port", ...patience });
  const status = `${checkout.command("main.js status")}\n`;
  const exports = checkout.line("export PIA_USERNAME");
  expect(await checkout.run(exports + status)).toMatchObject({
    code: 0,
    output: expect.stringContaining('"held": true'),
  });
  await checkout.interrupt();
  pia.gateway.bindings.drop();
  expect((await checkout.run(exports + checkout.command("main.js --once"))).code).toBe(0);
  expect(isForwarded()).toBe(true);
  expect((await checkout.run(exports + status)).output).toContain('"running": false');
});

test("ntfy-sidecar's README: what is pasted by hand sends a test, then tells of a download", async () => {
  await using folder = await tempDir();
  await using qbittorrent = await startFakeQbittorrent();
  await using ntfy = await startFakeNtfy();
  await using checkout = await Checkout.of("ntfy-sidecar", folder.path, {
    env: {
      HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      LISTEN_ADDR: `127.0.0.1:${await freePort()}`,
      NTFY_SERVER: ntfy.url,
    },
    instead: { "http://localhost:8080": qbittorrent.url },
  });
  const fields = { state: "downloading", progress: 0.5, amount_left: 1 };
  qbittorrent.addTorrent({ hash: "a".repeat(40), name: "Debian", fields });
  checkout.paste("test-notification");
  await waitFor(() => ntfy.messages("my-downloads").length === 2, { what: "two notifications", ...patience });
  expect(ntfy.messages("my-downloads").map(({ title }) => title)).toEqual(["ntfy-sidecar works", "Debian"]);
});

const isReady = async (address: string) =>
  (await fetch(`http://${address}/readyz`).catch(() => undefined))?.ok === true;

test("the READMEs of qbsync: what is pasted by hand on both sides meets, with the token that was made", async () => {
  await using home = await tempDir();
  await using seedbox = await tempDir();
  for (const { path } of [home, seedbox]) await mkdir(join(path, "Downloads"));
  await using there = await startFakeQbittorrent();
  await using here = await startFakeQbittorrent();
  const listen = `127.0.0.1:${await freePort()}`;
  const health = { there: `127.0.0.1:${await freePort()}`, here: `127.0.0.1:${await freePort()}` };
  await using destination = await Checkout.of("qbsync-destination", home.path, {
    env: { QBSYNC_DESTINATION_LISTEN: listen },
    instead: { "http://localhost:8080": there.url, "127.0.0.1:9107": health.there },
  });
  destination.paste("export QBSYNC_DESTINATION_DATA");
  await waitFor(() => isReady(health.there), { what: "the destination", ...patience });
  await copyFile(join(home.path, "qbsync_token"), join(seedbox.path, "qbsync_token"));
  await using source = await Checkout.of("qbsync-source", seedbox.path, {
    env: {},
    instead: {
      "http://localhost:8080": here.url,
      "192.168.1.100:50051": listen,
      "127.0.0.1:9106": health.here,
    },
  });
  source.paste("export QBSYNC_SOURCE_DATA");
  await waitFor(() => isReady(health.here), { what: "the source, with its destination", ...patience });
});

test.skipIf(await isMissing("Redis"))(
  "rules-worker's README: what is pasted by hand reaches its queue",
  async () => {
    await using folder = await tempDir();
    await mkdir(join(folder.path, "config"));
    await writeFile(join(folder.path, "config", "rules.yml"), "rules: []\n");
    await using qbittorrent = await startFakeQbittorrent();
    await using redis = await startRedis();
    const health = `127.0.0.1:${await freePort()}`;
    await using checkout = await Checkout.of("rules-worker", folder.path, {
      env: { HEALTH_ADDR: health },
      instead: { "http://localhost:8080": qbittorrent.url, "redis://localhost:6379/0": redis.url },
    });
    checkout.paste("export QBT_RULES_CONFIG_DIR");
    await waitFor(() => isReady(health), { what: "the worker to be ready", ...patience });
  },
);
