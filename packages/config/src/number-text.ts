/**
 * Helm keeps numbers as floats and renders 1000000 as `1e+06`, in config files and in variables. Writes such a
 * number out where it is whole; leaves every other text alone.
 */
export function withoutExponent(text: string): string {
  if (!/^[+-]?\d+(\.\d+)?e\+?\d{1,2}$/i.test(text)) return text;
  return Number.isSafeInteger(Number(text)) ? String(Number(text)) : text;
}
