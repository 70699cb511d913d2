import type * as z from "zod/mini";
import type { Param, ParamsOf } from "./params.ts";

type Params = Readonly<Record<string, Param<unknown>>>;
type Method = "GET" | "POST" | "DELETE";

/** What an endpoint is given. */
type Asked<P extends Params> = {
  readonly params: ParamsOf<P>;
  readonly id: string;
  /** What came with the request, as JSON or URLSearchParams; undefined: nothing. */
  readonly body: unknown;
  /** Whether a right key was shown: at open endpoints it need not be. */
  readonly isKnown: boolean;
};

type Answer = { readonly status: number; readonly body: unknown };

/** One endpoint: how it is answered, and what OpenAPI says of it. */
export type Endpoint = {
  readonly method: Method;
  /** `{id}` stands for a job's id. */
  readonly path: string;
  readonly about: string;
  readonly isOpen: boolean;
  readonly params: Params;
  /** True: a form or JSON body may hold the parameters as well. A schema: the body is JSON of that shape. */
  readonly takesBody: boolean | z.ZodMiniType;
  readonly answers: Readonly<Record<number, { readonly about: string; readonly schema: z.ZodMiniType }>>;
  readonly answer: (asked: Asked<Params>) => Answer | Promise<Answer>;
};

type Options<P extends Params> = Omit<
  Endpoint,
  "params" | "isOpen" | "takesBody" | "answer" | "method" | "path"
> & {
  params?: P;
  isOpen?: boolean;
  takesBody?: boolean | z.ZodMiniType;
  answer: (asked: Asked<P>) => Answer | Promise<Answer>;
};

/** Declares an endpoint; `place` is its method and path. */
export function endpoint<const P extends Params = {}>(
  place: `${Method} /${string}`,
  { params, isOpen = false, takesBody = false, answer, ...rest }: Options<P>,
): Endpoint {
  const [method, path] = place.split(" ");
  return {
    ...rest,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type of `place` says so
    method: method as Method,
    path: path ?? "",
    isOpen,
    takesBody,
    params: params ?? {},
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the params were read by `params`
    answer: (asked) => answer(asked as Asked<P>),
  };
}
