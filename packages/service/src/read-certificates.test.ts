import { selfSignedCertificate, tempDir } from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCertificates } from "./read-certificates.ts";
import { SettingFault } from "./setting-fault.ts";

test("certificates are given as they stand in the file; without a path there are none", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "ca.pem");
  const { cert } = selfSignedCertificate({ names: ["localhost"] });
  await writeFile(path, cert);
  expect(await readCertificates(path, "CA")).toBe(cert);
  expect(await readCertificates(undefined, "CA")).toBeUndefined();
});

test.each([
  ["/no/such/file", "CA (/no/such/file) does not exist"],
  ["/dev/zero", "CA (/dev/zero) is not a regular file"],
  ["/etc/hostname", "CA (/etc/hostname) holds no certificate in PEM form"],
])("%s is a fault of the setting", async (path, fault) => {
  await expect(readCertificates(path, "CA")).rejects.toThrow(new SettingFault(fault));
});
