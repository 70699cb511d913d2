import { createCipheriv, createHash } from "node:crypto";

const blockSize = 16;

/**
 * Bytes that look random and are the same for the same seed on every machine: the key stream of AES-256 in counter
 * mode, a gigabyte in a second, readable from any offset.
 */
export function pseudoRandomBytes(seed: string, offset: number, length: number): Buffer {
  const key = createHash("sha256").update(seed).digest();
  const counter = Buffer.alloc(16);
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / blockSize)), 8);
  const skipped = offset % blockSize;
  return createCipheriv("aes-256-ctr", key, counter)
    .update(Buffer.alloc(skipped + length))
    .subarray(skipped);
}
