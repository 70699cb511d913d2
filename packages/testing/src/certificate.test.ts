import { X509Certificate } from "node:crypto";
import { createServer, request } from "node:https";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { freePort } from "./free-port.ts";
import { selfSignedCertificate } from "./certificate.ts";

describe("a self-signed certificate", () => {
  test("names each host and address it was made for, and no other", () => {
    const certificate = new X509Certificate(
      selfSignedCertificate({ names: ["localhost", "127.0.0.1"] }).cert,
    );
    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.checkHost("example.com")).toBeUndefined();
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  test("is valid for the time it was made for", () => {
    const validFrom = new Date("2025-01-02T03:04:05Z");
    const validUntil = new Date("2025-02-03T04:05:06Z");
    const certificate = new X509Certificate(
      selfSignedCertificate({ names: ["old"], validFrom, validUntil }).cert,
    );
    expect([certificate.validFromDate, certificate.validToDate]).toEqual([validFrom, validUntil]);
  });

  test("is trusted by a client that was given it, and only by such a client", async () => {
    const { key, cert } = selfSignedCertificate({ names: ["127.0.0.1"] });
    await using server = createServer({ key, cert }, (_, response) => response.end());
    const port = await freePort();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    await expect(statusOf({ port, ca: cert })).resolves.toBe(200);
    await expect(statusOf({ port })).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  });
});

function statusOf(options: { port: number; ca?: string }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", agent: false, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}
