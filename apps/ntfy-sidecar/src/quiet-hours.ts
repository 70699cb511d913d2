/** A span of the day in minutes since midnight; it may go over midnight. */
export type QuietHours = { fromMin: number; toMin: number };

/** Reads `22:00-07:00`; undefined when it is none, or of no length. */
export function parseQuietHours(text: string): QuietHours | undefined {
  const match = /^\s*([01]?\d|2[0-3]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-3]):([0-5]\d)\s*$/.exec(text);
  if (match === null) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = match.slice(1).map(Number);
  const span = { fromMin: fromHour * 60 + fromMinute, toMin: toHour * 60 + toMinute };
  return span.fromMin === span.toMin ? undefined : span;
}

/** Whether a wall-clock time falls into the span, in the time zone of the process (TZ). */
export function isQuiet(span: QuietHours | undefined, nowMs: number): boolean {
  if (span === undefined) return false;
  const now = new Date(nowMs);
  const minute = now.getHours() * 60 + now.getMinutes();
  const { fromMin, toMin } = span;
  return fromMin < toMin ? minute >= fromMin && minute < toMin : minute >= fromMin || minute < toMin;
}
