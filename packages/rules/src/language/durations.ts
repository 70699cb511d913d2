const secondsOf = new Map(
  Object.entries({
    s: 1,
    sec: 1,
    second: 1,
    m: 60,
    min: 60,
    minute: 60,
    h: 3600,
    hour: 3600,
    d: 86_400,
    day: 86_400,
    w: 604_800,
    week: 604_800,
    month: 2_592_000,
    year: 31_536_000,
  }),
);

/**
 * Seconds of `30 days`, `7d`, `2h30m`, `1.5 days`, `1 minute ago` or a plain number of seconds; undefined for
 * everything else. A month has 30 days, a year 365.
 */
export function parseRuleDuration(written: unknown): number | undefined {
  if (typeof written === "number") return Number.isFinite(written) && written >= 0 ? written : undefined;
  if (typeof written !== "string") return undefined;
  const text = written
    .trim()
    .toLowerCase()
    .replace(/\s+ago$/, "");
  if (/^\d+(\.\d+)?$/.test(text)) return finite(Number(text));
  if (!/^(\d+(\.\d+)?\s*[a-z]+[\s,]*)+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    const factor = secondsOf.get(unit) ?? secondsOf.get(unit.replace(/s$/, ""));
    if (factor === undefined) return undefined;
    seconds += Number(amount) * factor;
  }
  return finite(seconds);
}

/** A number with hundreds of digits is a mistake, and would be longer than all there is. */
function finite(seconds: number): number | undefined {
  return Number.isFinite(seconds) ? seconds : undefined;
}
