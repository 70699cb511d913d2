import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";

/**
 * Reads a PEM file of certificates.
 *
 * @returns undefined without a path
 * @throws Error that names the setting, when the file cannot be read or holds no certificate
 */
export async function readCertificate(
  path: string | undefined,
  setting: string,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    const pem = await readFile(path, "utf8");
    new X509Certificate(pem).toString();
    return pem;
  } catch (cause) {
    throw new Error(`reading a PEM certificate from ${setting} (${path})`, { cause });
  }
}
