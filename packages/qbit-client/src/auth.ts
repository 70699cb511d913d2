/**
 * How to be let in. `none`: qBittorrent bypasses authentication for this address (a cookie is kept all the
 * same). `apiKey` needs qBittorrent 5.2 or newer.
 */
export type Auth =
  | { kind: "none" }
  | { kind: "password"; username: string; password: string }
  | { kind: "apiKey"; apiKey: string };

/** A function is asked at each login, so that a rotated secret heals without a restart. */
export type AuthSource = Auth | (() => Auth | Promise<Auth>);

/** What settings usually hold: a key wins over a password, and without either authentication is bypassed. */
export function chooseAuth(settings: {
  apiKey?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
}): Auth {
  const { apiKey, username = "admin", password } = settings;
  if (apiKey !== undefined && apiKey !== "") return { kind: "apiKey", apiKey };
  if (password !== undefined && password !== "") return { kind: "password", username, password };
  return { kind: "none" };
}

export function sameAuth(a: Auth, b: Auth): boolean {
  if (a.kind === "apiKey" && b.kind === "apiKey") return a.apiKey === b.apiKey;
  if (a.kind === "password" && b.kind === "password")
    return a.username === b.username && a.password === b.password;
  return a.kind === b.kind;
}
