const exponents: Readonly<Record<string, number>> = { "": 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

export type ParsedSize = { bytes: number; note?: string };

/**
 * Bytes of `4KB` (4000), `2 MiB` (2097152), `1.5G`, `700`. As in the language's origin a small `b` means bits
 * (`5mb` is 625000 bytes), which is noted because hardly anyone means it; `mib` and `kib` mean bytes.
 */
export function parseRuleSize(written: unknown): ParsedSize | undefined {
  if (typeof written === "number")
    return Number.isFinite(written) && written >= 0 ? { bytes: written } : undefined;
  if (typeof written !== "string") return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)(b?)$/i.exec(written.trim());
  if (match === null) return undefined;
  const [, amount = "", prefix = "", binary = "", unit = ""] = match;
  if (binary !== "" && prefix === "") return undefined;
  const base = binary === "" ? 1000 : 1024;
  const bytes = Number(amount) * base ** (exponents[prefix.toLowerCase()] ?? 0);
  if (!Number.isFinite(bytes)) return undefined;
  const isAllSmall = binary === "i" && prefix === prefix.toLowerCase();
  if (unit !== "b" || isAllSmall) return { bytes };
  return { bytes: bytes / 8, note: `"${written}" means bits; write "${written.slice(0, -1)}B" for bytes` };
}
