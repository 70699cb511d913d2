import { X509Certificate } from "node:crypto";
import { createServer, request } from "node:https";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { freePort } from "./free-port.ts";
import { certificateAuthority, selfSignedCertificate } from "./certificate.ts";

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

describe("an authority", () => {
  test("signs certificates that are trusted by whoever was given the authority, for their own names only", async () => {
    const authority = certificateAuthority("PIA");
    const { key, cert } = authority.issue({ names: ["panama408"] });
    const leaf = new X509Certificate(cert);
    expect(leaf.checkIssued(new X509Certificate(authority.cert))).toBe(true);
    expect(leaf.ca).toBe(false);
    await using server = createServer({ key, cert }, (_, response) => response.end());
    const port = await freePort();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const ca = authority.cert;
    await expect(statusOf({ port, ca, servername: "panama408" })).resolves.toBe(200);
    await expect(statusOf({ port, ca, servername: "zurich406" })).rejects.toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
    await expect(
      statusOf({ port, ca: certificateAuthority().cert, servername: "panama408" }),
    ).rejects.toMatchObject({
      code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    });
  });

  test("can leave alternative names out, as old servers do", () => {
    const { cert } = certificateAuthority().issue({ names: ["panama408"], withAlternativeNames: false });
    const leaf = new X509Certificate(cert);
    expect([leaf.subject, leaf.subjectAltName]).toEqual(["CN=panama408", undefined]);
  });
});

function statusOf(options: { port: number; ca?: string; servername?: string }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", agent: false, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}
