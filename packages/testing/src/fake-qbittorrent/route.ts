import type { Answer } from "./answers.ts";
import type { Params } from "./params.ts";
import type { Session, FakeState } from "./state.ts";

export type Call = {
  state: FakeState;
  session: Session;
  params: Params;
  /** Keyed by file name, as qBittorrent does: two parts with one name are one file. */
  files: ReadonlyMap<string, Buffer>;
};

/** One endpoint. */
export type Route = {
  /** "POST": from 4.5 on anything else is 405. Default: GET and POST. */
  method?: "POST";
  /** First Web API version that has it. */
  since?: string;
  /** First Web API version that has it no more. */
  until?: string;
  /** Parameters without which it is 400; a function where that changed over time. */
  needs?: readonly string[] | ((state: FakeState) => readonly string[]);
  /** From this Web API version on, nothing to say is 204 rather than an empty 200. */
  noContentSince?: string;
  run(call: Call): Answer | void;
};

/** Endpoints by `scope/action`. */
export type Routes = Readonly<Record<string, Route>>;
