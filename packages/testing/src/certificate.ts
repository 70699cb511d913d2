import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";
import { bits, context, integer, objectId, octets, sequence, set, text, time, yes } from "./der.ts";

export type CertificateOptions = {
  /** DNS names and IPv4 addresses it is valid for. */
  names: readonly string[];
  /** Default: an hour ago. */
  validFrom?: Date;
  /** Default: a day from now. */
  validUntil?: Date;
};

/** PEM texts. A client that is given `cert` as its authority trusts the server that has both. */
export type Certificate = { key: string; cert: string };

const hourMs = 3_600_000;

const oids = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
};

/** Makes a self-signed certificate and its key (P-256) in a millisecond; node:crypto can only read certificates. */
export function selfSignedCertificate(options: CertificateOptions): Certificate {
  const pair = keyPair();
  const name = options.names[0] ?? "localhost";
  return certified({ ...options, commonName: name, isAuthority: true }, pair, {
    name,
    key: pair.privateKey,
  });
}

export type LeafOptions = CertificateOptions & {
  /** Default: the first of `names`. */
  commonName?: string;
  /** Without alternative names only the common name says whose certificate it is, as before 2000. Default true. */
  withAlternativeNames?: boolean;
};

/** An authority of its own, trusted by nobody who was not given `cert`. */
export type Authority = {
  /** PEM. */
  readonly cert: string;
  /** Signs a certificate for a server. */
  issue(options: LeafOptions): Certificate;
};

/** Makes a throwaway authority that signs what it is asked to. */
export function certificateAuthority(name = "Throwaway CA"): Authority {
  const pair = keyPair();
  const issuer = { name, key: pair.privateKey };
  const own = { names: [], commonName: name, isAuthority: true, withAlternativeNames: false };
  const { cert } = certified(own, pair, issuer);
  return { cert, issue: (options) => certified(options, keyPair(), issuer) };
}

type KeyPair = { privateKey: KeyObject; publicKey: KeyObject };

function keyPair(): KeyPair {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" });
}

type Issuer = { name: string; key: KeyObject };
type Subject = LeafOptions & { isAuthority?: boolean };

function certified(subject: Subject, { privateKey, publicKey }: KeyPair, issuer: Issuer): Certificate {
  const algorithm = sequence(objectId(oids.ecdsaWithSha256));
  const signed = certificateInfo(subject, { algorithm, publicKey, issuer: issuer.name });
  const der = sequence(signed, algorithm, bits(sign("sha256", signed, issuer.key)));
  return {
    // The form that Qt 5 reads too.
    key: privateKey.export({ type: "sec1", format: "pem" }),
    cert: pem("CERTIFICATE", der),
  };
}

/** TBSCertificate of RFC 5280, version 3. */
function certificateInfo(
  subject: Subject,
  { algorithm, publicKey, issuer }: { algorithm: Buffer; publicKey: KeyObject; issuer: string },
): Buffer {
  const {
    names,
    commonName = names[0] ?? "localhost",
    withAlternativeNames = true,
    isAuthority = false,
    validFrom = new Date(Date.now() - hourMs),
    validUntil = new Date(Date.now() + 24 * hourMs),
  } = subject;
  const extensions = [
    ...(withAlternativeNames ? [subjectAltName(names)] : []),
    ...(isAuthority ? [authority()] : []),
  ];
  return sequence(
    context(0, integer(Buffer.from([2]))),
    integer(positive(randomBytes(16))),
    algorithm,
    distinguishedName(issuer),
    sequence(time(validFrom), time(validUntil)),
    distinguishedName(commonName),
    publicKey.export({ type: "spki", format: "der" }),
    ...(extensions.length === 0 ? [] : [context(3, sequence(...extensions))]),
  );
}

function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(objectId(oids.commonName), text(commonName))));
}

function subjectAltName(names: readonly string[]): Buffer {
  const alternatives = names.map((name) => {
    // GeneralName: [2] dNSName, [7] iPAddress, both without their own type's tag.
    return isIPv4(name) ? context(7, Buffer.from(name.split(".").map(Number)), "primitive") : dnsName(name);
  });
  return sequence(objectId(oids.subjectAltName), octets(sequence(...alternatives)));
}

function dnsName(name: string): Buffer {
  return context(2, Buffer.from(name, "ascii"), "primitive");
}

function authority(): Buffer {
  return sequence(objectId(oids.basicConstraints), yes(), octets(sequence(yes())));
}

/** A leading bit would make it negative. */
function positive(bytes: Buffer): Buffer {
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
