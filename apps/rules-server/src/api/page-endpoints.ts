import { type QbitClient, tagsOf, type Torrent } from "@qbit-sidecars/qbit-client";
import { readTextFile } from "@qbit-sidecars/config";
import { messageWithCauses } from "@qbit-sidecars/service";
import type * as z from "zod/mini";
import * as shapes from "./answers.ts";
import { ApiError, badRequest } from "./api-error.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import type { Param } from "./params.ts";

export type PageEndpointParts = {
  readonly client: { readonly torrents: Pick<QbitClient["torrents"], "eachInfo"> };
  /** The rules file. */
  readonly rulesPath: string;
};

const mostTorrents = 10;
const mostSearch = 200;
const largestFileBytes = 4 * 1024 * 1024;

const searchParam: Param<string> = {
  about: "Part of a torrent's name in any case, or the start of its id.",
  schema: { type: "string", maxLength: mostSearch },
  read(text) {
    if (text.length > mostSearch) throw badRequest(`search is longer than ${mostSearch} characters`);
    return text.toLowerCase();
  },
};

/** What only the page asks for. */
export function pageEndpoints({ client, rulesPath }: PageEndpointParts): Endpoint[] {
  return [
    endpoint("GET /api/torrents", {
      about: "Find torrents to try the rules on.",
      params: { search: searchParam },
      answers: {
        200: { about: `The first ${mostTorrents} by name`, schema: shapes.torrents },
        502: { about: "qBittorrent does not answer", schema: shapes.refusal },
      },
      answer: async ({ params: { search = "" } }) => ({ status: 200, body: await find(client, search) }),
    }),
    endpoint("GET /api/rules/text", {
      about: "The rules file as it is, to show its mistakes at their lines.",
      answers: {
        200: { about: "The file", schema: shapes.rulesText },
        404: { about: "It cannot be read", schema: shapes.refusal },
      },
      async answer() {
        const reading = await readTextFile(rulesPath, largestFileBytes);
        if (!reading.ok) throw new ApiError(404, `${rulesPath} ${reading.problem}`);
        return { status: 200, body: { file: rulesPath, text: reading.text } };
      },
    }),
  ];
}

type Found = z.output<typeof shapes.torrents>;

async function find(client: PageEndpointParts["client"], search: string): Promise<Found> {
  let [total, first]: [number, Found["torrents"]] = [0, []];
  const isMeant = ({ name, hash }: Torrent) => name.toLowerCase().includes(search) || hash.startsWith(search);
  const begin = () => {
    [total, first] = [0, []];
    return (torrent: Torrent) => {
      if (!isMeant(torrent)) return;
      total += 1;
      first = withOneMore(first, torrent);
    };
  };
  await client.torrents.eachInfo({}, begin).catch((error: unknown) => {
    throw new ApiError(502, messageWithCauses(error));
  });
  return { total, torrents: first };
}

const { compare } = new Intl.Collator();

/** The first by name, in order. No more than these are held: sorting 50,000 keeps everybody else waiting. */
function withOneMore(first: Found["torrents"], torrent: Torrent): Found["torrents"] {
  const last = first.at(mostTorrents - 1);
  if (last !== undefined && compare(torrent.name, last.name) >= 0) return first;
  return [...first, rowOf(torrent)].toSorted((a, b) => compare(a.name, b.name)).slice(0, mostTorrents);
}

function rowOf(torrent: Torrent): Found["torrents"][number] {
  const { hash, name, state, category } = torrent;
  return { hash, name, state, category, tags: tagsOf(torrent) };
}
