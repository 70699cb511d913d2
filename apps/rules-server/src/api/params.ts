import { jobStatuses } from "@qbit-sidecars/jobs";
import { badRequest } from "./api-error.ts";

/** One parameter of a request: how it is read, and what OpenAPI says of it. */
export type Param<T> = {
  readonly about: string;
  readonly schema: Readonly<Record<string, unknown>>;
  /** @throws ApiError */
  read(text: string, name: string): T;
};

type Params = Readonly<Record<string, Param<unknown>>>;
export type ParamsOf<P extends Params> = {
  readonly [Name in keyof P]?: P[Name] extends Param<infer T> ? T : never;
};

/** The key may stand among the parameters; it is not one of the endpoint's. */
const keyParam = "key";

/**
 * Reads what was given. Empty is not given, except for what says otherwise by reading it.
 * @throws ApiError for what is unknown, stands there twice or cannot be read
 */
export function readParams<P extends Params>(
  params: P,
  given: ReadonlyMap<string, readonly string[]>,
): ParamsOf<P> {
  const values: Record<string, unknown> = {};
  for (const [name, texts] of given) {
    if (name === keyParam) continue;
    const param = Object.hasOwn(params, name) ? params[name] : undefined;
    if (param === undefined) {
      const known = Object.keys(params);
      throw badRequest(
        `There is no parameter ${quote(name)}; ${known.length === 0 ? "none is known here" : `known are ${known.join(", ")}`}`,
      );
    }
    const [text = "", ...more] = texts;
    if (more.length > 0) throw badRequest(`The parameter ${name} stands there twice`);
    values[name] = param.read(text, name);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each param vouches for the type of its value
  return values as ParamsOf<P>;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

const mostContext = 200;

export const contextParam: Param<string | undefined> = {
  about: "Run the rules of this context; without it, those that have none.",
  schema: { type: "string", maxLength: mostContext },
  read(text, name) {
    if (text.length > mostContext) throw badRequest(`${name} is longer than ${mostContext} characters`);
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    if (/[\u0000-\u001F\u007F]/.test(text)) throw badRequest(`${name} holds a control character`);
    return text === "" ? undefined : text;
  },
};

export const hashParam: Param<string> = {
  about: "Only this torrent: its id (`%K` in qBittorrent's hooks) or infohash, v1 or v2.",
  schema: { type: "string", pattern: "^[0-9a-fA-F]{1,64}$" },
  read(text) {
    if (text === "-")
      throw badRequest(
        'Invalid hash: "-" is what qBittorrent puts for %I of a torrent without a v1 infohash; use %K',
      );
    // An empty hash is a hook whose variable was empty: running over all torrents is not what it meant.
    if (!/^[0-9a-f]{1,64}$/i.test(text))
      throw badRequest(`Invalid hash: ${quote(text)} is not an infohash of hex digits`);
    return text.toLowerCase();
  },
};

export function toggleParam(about: string): Param<boolean> {
  return {
    about,
    schema: { type: "boolean" },
    read(text, name) {
      // Empty is neither: whoever writes `?dry_run` does not mean that things are to be done.
      if (/^(true|1|yes|on)$/i.test(text)) return true;
      if (/^(false|0|no|off)$/i.test(text)) return false;
      throw badRequest(`${name} is true or false, not ${quote(text)}`);
    },
  };
}

export const delayParam: Param<number> = {
  about: "Seconds to wait before it runs, for torrents that something else is still busy with.",
  schema: { type: "integer", minimum: 0, maximum: 3600 },
  read: (text, name) => wholeNumber(text, name, { min: 0, max: 3600 }),
};

export const statusParam: Param<(typeof jobStatuses)[number]> = {
  about: "Only jobs in this state.",
  schema: { type: "string", enum: jobStatuses },
  read(text) {
    const status = jobStatuses.find((each) => each === text);
    if (status === undefined)
      throw badRequest(`Invalid status: ${quote(text)} is none of ${jobStatuses.join(", ")}`);
    return status;
  },
};

export const limitParam: Param<number> = {
  about: "How many; more than 100 is 100.",
  schema: { type: "integer", minimum: 1, default: 50 },
  read: (text, name) => wholeNumber(text, name, { min: 1, max: Number.MAX_SAFE_INTEGER }),
};

export const offsetParam: Param<number> = {
  about: "How many to leave out first.",
  schema: { type: "integer", minimum: 0, default: 0 },
  read: (text, name) => wholeNumber(text, name, { min: 0, max: Number.MAX_SAFE_INTEGER }),
};

function wholeNumber(text: string, name: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
    throw badRequest(`${name} is a whole number, ${range}, not ${quote(text)}`);
  }
  return value;
}
