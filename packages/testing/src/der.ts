/** The few parts of ASN.1's distinguished encoding (X.690) that a certificate is made of. */

export function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

export function set(...parts: Buffer[]): Buffer {
  return tagged(0x31, Buffer.concat(parts));
}

/** @param bytes big-endian, with the sign in the first bit */
export function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

export function bits(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

export function octets(bytes: Buffer): Buffer {
  return tagged(0x04, bytes);
}

export function text(value: string): Buffer {
  return tagged(0x0c, Buffer.from(value));
}

export function yes(): Buffer {
  return tagged(0x01, Buffer.from([0xff]));
}

/** UTCTime, which holds the years 1950 to 2049. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/\D/g, "").slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

/** @param dotted such as "2.5.4.3" */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split(".").map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...others.flatMap(base128)]));
}

/** A part known by its number instead of its type. */
export function context(
  number: number,
  content: Buffer,
  form: "constructed" | "primitive" = "constructed",
): Buffer {
  return tagged((form === "constructed" ? 0xa0 : 0x80) | number, content);
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content)]), content]);
}

function lengthOf({ length }: Buffer): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}
