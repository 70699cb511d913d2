import { readTextFile } from "@qbit-sidecars/config";
import { X509Certificate } from "node:crypto";
import { SettingFault } from "./setting-fault.ts";

const longestFile = 1024 * 1024;

/**
 * Reads the PEM file of certificates that a setting names.
 *
 * @param setting names it in the fault: "QBIT_CA_CERT_FILE"
 * @returns undefined without a path
 * @throws SettingFault when the file cannot be read or holds no certificate
 */
export async function readCertificates(
  path: string | undefined,
  setting: string,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const reading = await readTextFile(path, longestFile);
  if (!reading.ok) throw new SettingFault(`${setting} (${path}) ${reading.problem}`);
  try {
    new X509Certificate(reading.text).toString();
    return reading.text;
  } catch (cause) {
    throw new SettingFault(`${setting} (${path}) holds no certificate in PEM form`, { cause });
  }
}
