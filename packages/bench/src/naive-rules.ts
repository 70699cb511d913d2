import type { QbitClient, Torrent } from "@qbit-sidecars/qbit-client";

export type PlainLeaf = { field: string; operator: string; value: unknown };
type Conditions = readonly PlainLeaf[] | { any: readonly PlainLeaf[] };
export type PlainRule = { conditions: Conditions; actions: readonly { params: { tag: string } }[] };

/**
 * Rules in the plain way, as a baseline: the whole list even for one torrent, rule after rule and torrent after
 * torrent, a call for the trackers, files or properties of each (remembered for the run), and for each tag a call and
 * a look at what became of it. `sample`: how many torrents to spend such calls on.
 */
export async function runNaively(
  client: QbitClient,
  rules: readonly PlainRule[],
  { hash, sample = Infinity }: { hash?: string | undefined; sample?: number },
): Promise<void> {
  const all = await client.torrents.info();
  const torrents = all.filter((torrent) => hash === undefined || torrent.hash === hash).slice(0, sample);
  const parts = new Map<string, readonly string[]>();
  for (const { conditions, actions } of rules) {
    for (const torrent of torrents) {
      if (!(await holds(client, conditions, { torrent, parts }))) continue;
      for (const { params } of actions) {
        await client.torrents.addTags([torrent.hash], [params.tag]);
        await client.torrents.info({ hashes: [torrent.hash] });
      }
    }
  }
}

type Asked = { torrent: Torrent; parts: Map<string, readonly string[]> };

async function holds(client: QbitClient, conditions: Conditions, asked: Asked): Promise<boolean> {
  const isAny = "any" in conditions;
  for (const leaf of isAny ? conditions.any : conditions) {
    const values = await valuesOf(client, leaf.field, asked);
    if (values.some((value) => compare(value, leaf)) === isAny) return isAny;
  }
  return !isAny;
}

async function valuesOf(
  client: QbitClient,
  field: string,
  { torrent, parts }: Asked,
): Promise<readonly unknown[]> {
  const [namespace, property = ""] = field.split(".");
  if (namespace === "info") return [torrent[property]];
  const key = `${torrent.hash} ${field}`;
  const known = parts.get(key) ?? (await fetchPart(client, field, torrent.hash));
  parts.set(key, known);
  return known;
}

async function fetchPart(client: QbitClient, field: string, hash: string): Promise<string[]> {
  if (field === "trackers.url") return (await client.torrents.trackers(hash)).map(({ url }) => url);
  if (field === "files.name") return (await client.torrents.files(hash)).map(({ name }) => name);
  return [(await client.torrents.properties(hash)).comment];
}

function compare(actual: unknown, { operator, value }: PlainLeaf): boolean {
  if (operator === "matches") return new RegExp(String(value).replace("(?i)", ""), "iu").test(String(actual));
  if (operator === ">") return Number(actual) > Number(value);
  if (operator === "in") return Array.isArray(value) && value.includes(actual);
  if (operator === "contains") return String(actual).includes(String(value));
  if (operator === "ends_with") return String(actual).endsWith(String(value));
  return actual === value;
}
