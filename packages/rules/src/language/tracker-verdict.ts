type Row = Readonly<Record<string, unknown>>;

const working = 2;
const failing: readonly unknown[] = [4, 5, 6];

/** What trackers say of a torrent they do not know, as collected by qbit_manage, tqm and qui from real trackers. */
const unregisteredWords =
  /unregistered|not registered|torrent not found|not exist|unknown torrent|torrent (has been |is )?(deleted|removed|nuked|trumped|pruned)|infohash not found|not authorized for this torrent|dupe|complete season uploaded|problem with (description|file|pack)|specifically banned|retitled|truncated|internal available|torrent is not authorized/i;
/** What the same trackers say when they are the ones in trouble. */
const downWords =
  /maintenance|timed? ?out|unavailable|bad gateway|service|internal server error|connection|host not found|try again/i;

function isUnknownTo(row: Row): boolean {
  const message = typeof row["msg"] === "string" ? row["msg"] : "";
  return failing.includes(row["status"]) && unregisteredWords.test(message) && !downWords.test(message);
}

export function isUnregistered(rows: readonly Row[] | null | undefined): boolean | undefined {
  if (rows === null || rows === undefined) return undefined;
  return rows.some(isUnknownTo) && !rows.some(({ status }) => status === working);
}

export function isTrackerDown(rows: readonly Row[] | null | undefined): boolean | undefined {
  if (rows === null || rows === undefined) return undefined;
  const enabled = rows.filter(({ status }) => status !== 0);
  return enabled.length > 0 && enabled.every((row) => failing.includes(row["status"]) && !isUnknownTo(row));
}
