import { readTextFile } from "@qbit-sidecars/config";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { messageWithCauses } from "./describe-error.ts";
import type { Logger } from "./log.ts";
import { SettingFault } from "./setting-fault.ts";

/** A file that a setting names; without a path there is none. */
export type NamedFile = { path: string | undefined; setting: string };

/** PEM texts, as `node:tls` takes them. */
export type KeyMaterial = {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** When the certificate ends. */
  readonly expiresAt: Date | undefined;
};

type KeyFilesOptions = {
  files: { ca: NamedFile; cert: NamedFile; key: NamedFile };
  log: Logger;
  /** Milliseconds since 1970. */
  now: () => number;
};

const longestFile = 1024 * 1024;

/** Files are looked at again when somebody asks, and not more often than that. */
const freshMs = 1000;

/**
 * A certificate, its key and the authorities to believe, from files that may be replaced while the program runs
 * (cert-manager, certbot, a mounted Secret). What cannot be used, such as a new certificate whose key has not been
 * written yet, is warned of once, and the last that could be used stays in use.
 */
export class KeyFiles {
  readonly #options: KeyFilesOptions;
  #texts: readonly (string | undefined)[] = [];
  #material: KeyMaterial;
  #lookedAt: number;
  #warned = "";

  private constructor(options: KeyFilesOptions, found: Found) {
    this.#options = options;
    this.#texts = found.texts;
    this.#material = found.material;
    this.#lookedAt = options.now();
  }

  /** @throws SettingFault when a file cannot be read, or is not what it should be */
  static async open(options: KeyFilesOptions): Promise<KeyFiles> {
    const found = await look(options.files);
    const files = new KeyFiles(options, found);
    files.#warnOfExpiry();
    return files;
  }

  /** What was last read. */
  get material(): KeyMaterial {
    return this.#material;
  }

  /** What the files hold now; the same object as long as nothing has changed. */
  async current(): Promise<KeyMaterial> {
    const { now, log, files } = this.#options;
    if (now() - this.#lookedAt < freshMs) return this.#material;
    this.#lookedAt = now();
    try {
      const found = await look(files);
      if (found.texts.every((text, at) => text === this.#texts[at])) return this.#material;
      this.#texts = found.texts;
      this.#material = found.material;
      this.#warned = "";
      log.info(`${files.cert.path ?? files.ca.path} was replaced and is used from now on`);
      this.#warnOfExpiry();
    } catch (error) {
      this.#warnOnce(`${messageWithCauses(error)}; what was there before stays in use`);
    }
    return this.#material;
  }

  #warnOfExpiry(): void {
    const { expiresAt } = this.#material;
    const { cert } = this.#options.files;
    if (expiresAt !== undefined && expiresAt.getTime() < this.#options.now())
      this.#warnOnce(
        `${cert.setting} (${cert.path}) went out of date on ${expiresAt.toISOString()}: renew it`,
      );
  }

  #warnOnce(what: string): void {
    if (what === this.#warned) return;
    this.#warned = what;
    this.#options.log.warn(what);
  }
}

type Found = { texts: readonly (string | undefined)[]; material: KeyMaterial };

async function look({ ca, cert, key }: KeyFilesOptions["files"]): Promise<Found> {
  const texts = await Promise.all([ca, cert, key].map(read));
  const [caText, certText, keyText] = texts;
  if (caText !== undefined) certificateOf(caText, ca);
  const certificate = certText === undefined ? undefined : certificateOf(certText, cert);
  if (certificate !== undefined && keyText !== undefined)
    refuseForeignKey(certificate, keyText, { cert, key });
  return {
    texts,
    material: { ca: caText, cert: certText, key: keyText, expiresAt: certificate?.validToDate },
  };
}

async function read({ path, setting }: NamedFile): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const reading = await readTextFile(path, longestFile);
  if (!reading.ok) throw new SettingFault(`${setting} (${path}) ${reading.problem}`);
  return reading.text;
}

function certificateOf(text: string, { path, setting }: NamedFile): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new SettingFault(`${setting} (${path}) holds no certificate in PEM form`, { cause });
  }
}

function refuseForeignKey(
  certificate: X509Certificate,
  text: string,
  { cert, key }: { cert: NamedFile; key: NamedFile },
): void {
  let isItsOwn: boolean;
  try {
    isItsOwn = certificate.checkPrivateKey(createPrivateKey(text));
  } catch (cause) {
    const why = text.includes("ENCRYPTED") ? "a key that needs a passphrase" : "no private key in PEM form";
    throw new SettingFault(`${key.setting} (${key.path}) holds ${why}`, { cause });
  }
  if (!isItsOwn)
    throw new SettingFault(`${key.setting} (${key.path}) is not the key of ${cert.setting} (${cert.path})`);
}
