import fc from "fast-check";

/** What a client does about logging in; headers that name a server's port are filled in when it is sent. */
export type LoginOperation = {
  /** Which of two clients: each keeps its own cookie. */
  client: "first" | "second";
  request:
    | { kind: "login"; username: string; password: string; times: number }
    | { kind: "logout" }
    | { kind: "ask"; name: string }
    | { kind: "askAs"; headers: Record<string, string> }
    | { kind: "loseCookie" };
};

export const account = { username: "someone", password: "right password" };

const logins = fc.record({
  kind: fc.constant("login" as const),
  username: fc.constantFrom(account.username, account.username, account.username, "nobody", ""),
  password: fc.constantFrom(account.password, account.password, "wrong"),
  // Five wrong ones make a ban.
  times: fc.constantFrom(1, 1, 4, 5),
});

const headers = fc.constantFrom<Record<string, string>>(
  { authorization: `Basic ${btoa(`${account.username}:${account.password}`)}` },
  { authorization: "Basic bm9ib2R5Om5vdGhpbmc=" },
  { authorization: `Bearer qbt_${"x".repeat(28)}` },
  { authorization: "Bearer nonsense" },
  { origin: "http://elsewhere.example" },
  { origin: "http://{host}" },
  { referer: "http://elsewhere.example/page" },
  { referer: "http://{host}/page" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-origin" },
  { host: "elsewhere.example" },
  { host: "elsewhere.example:1" },
  { "x-forwarded-host": "elsewhere.example", origin: "http://elsewhere.example" },
);

const requests: fc.Arbitrary<LoginOperation["request"]> = fc.oneof(
  { weight: 4, arbitrary: logins },
  { weight: 1, arbitrary: fc.constant({ kind: "logout" as const }) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom("app/version", "torrents/info", "nothing/at-all", "app/nothing", "auth/nothing")
      .map((name) => ({ kind: "ask" as const, name })),
  },
  { weight: 3, arbitrary: headers.map((given) => ({ kind: "askAs" as const, headers: given })) },
  { weight: 1, arbitrary: fc.constant({ kind: "loseCookie" as const }) },
);

export const loginSequences: fc.Arbitrary<readonly LoginOperation[]> = fc.array(
  fc.record({ client: fc.constantFrom("first" as const, "second" as const), request: requests }),
  { minLength: 1, maxLength: 25, size: "max" },
);
