/** Numbers of a version, leading `v` and suffixes (`beta1`, `-rc`) left out: `v5.2.0beta1` → [5, 2, 0]. */
function numbers(version: string): number[] {
  return version
    .replace(/^v/, "")
    .split(".")
    .map((part) => Number.parseInt(part, 10) || 0);
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`; 2.8.18 is newer than 2.8.2. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
