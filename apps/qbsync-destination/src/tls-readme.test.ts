import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTorrent, tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { TestDestination } from "./test-destination.ts";
import { TestSource } from "./test-source.ts";

const made = makeTorrent({ version: "v1", files: [{ path: "a", size: 50_000 }] });

test("the README's five commands make certificates with which both sides know each other", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, block = ""] = /<!-- tls:start -->\s+```sh\n([^]*?)```\s+<!-- tls:end -->/.exec(readme) ?? [];
  expect(block.trim().split("\n")).toHaveLength(5);
  await using keys = await tempDir();
  await using data = await tempDir();
  // The address that the seed gives is not this machine's.
  execFileSync("sh", ["-e", "-c", block.replaceAll("192.168.1.100", "127.0.0.1")], {
    cwd: keys.path,
    stdio: "pipe",
  });
  const file = (name: string) => join(keys.path, name);
  await using destination = await TestDestination.start([`--data=${data.path}`], [], {
    QBSYNC_DESTINATION_TLS_CERT_FILE: file("destination.crt"),
    QBSYNC_DESTINATION_TLS_KEY_FILE: file("destination.key"),
    QBSYNC_DESTINATION_TLS_CLIENT_CA_FILE: file("ca.crt"),
  });
  const [ca = "", cert = "", key = ""] = await Promise.all(
    ["ca.crt", "source.crt", "source.key"].map((name) => readFile(file(name), "utf8")),
  );
  using source = new TestSource(destination.port, { tls: { ca, cert, key } });
  await source.deliver(made);
  using named = new TestSource(destination.port, {
    tls: { ca, cert, key, serverName: "qbsync-destination" },
  });
  await named.hello();
  using stranger = new TestSource(destination.port, { tls: { ca } });
  await expect(stranger.hello()).rejects.toThrow("client certificate");
});
