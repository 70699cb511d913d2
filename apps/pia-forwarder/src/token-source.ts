import { errorCode } from "@qbit-sidecars/service";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { PiaNoTokenError } from "./pia-errors.ts";
import type { Credentials } from "./pia.ts";
import type { TokenSource } from "./hold-port.ts";
import type { Token } from "./plan-port.ts";

type TokenSourceOptions = {
  path: string;
  /** Undefined: only the file gives tokens. */
  credentials: Credentials | undefined;
  logIn: (credentials: Credentials, signal: AbortSignal) => Promise<string>;
  now: () => number;
};

const dayMs = 24 * 3_600_000;
const fileMaxBytes = 4096;

/**
 * Tokens from the token file while it holds a good one, else from a login. Without user name and password the file's
 * token is used whatever its age, for only PIA knows.
 */
export function tokenSource({ path, credentials, logIn, now }: TokenSourceOptions): TokenSource {
  return {
    async token(rejected, signal) {
      const file = await readTokenFile(path);
      const isGood = (token: Token) =>
        token.value !== rejected && now() - token.obtainedAtMs < dayMs - 3_600_000;
      if (file.token !== undefined && (credentials === undefined || isGood(file.token))) return file.token;
      if (credentials !== undefined) {
        return { value: await logIn(credentials, signal), obtainedAtMs: now(), from: "login" };
      }
      throw new PiaNoTokenError(
        `there is nothing to log in to PIA with: set PIA_USERNAME and PIA_PASSWORD, or put a token into PIA_TOKEN_FILE ` +
          `(${path}: ${file.why})`,
      );
    },
  };
}

/**
 * Reads a token file in either of its forms: the token alone, or the token and, in a second line, when it ends, as PIA's
 * get_token.sh writes it (`date +%c` of the next day, in the words of some locale).
 */
export function readToken(text: string, modifiedMs: number): Token | undefined {
  const [value = "", endsAt = ""] = text.split(/\r\n|\r|\n/u).map((line) => line.trim());
  if (!/^[\x21-\x7e]{16,}$/u.test(value)) return undefined;
  const obtainedAtMs = Date.parse(endsAt) - dayMs;
  // A date that does not go with the file's own time is a wrong reading of some locale.
  const isPlausible = Math.abs(obtainedAtMs - modifiedMs) < dayMs;
  return { value, obtainedAtMs: isPlausible ? obtainedAtMs : modifiedMs, from: "file" };
}

async function readTokenFile(path: string): Promise<{ token?: Token; why: string }> {
  try {
    // Non-blocking, or a FIFO at this path would hold the reader for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { mtimeMs } = await file.stat();
    const buffer = Buffer.alloc(fileMaxBytes);
    const { bytesRead } = await file.read(buffer, 0, fileMaxBytes, 0);
    const token = readToken(buffer.toString("utf8", 0, bytesRead), mtimeMs);
    return token === undefined ? { why: "it holds no token" } : { token, why: "" };
  } catch (error) {
    const code = errorCode(error);
    return { why: code === "ENOENT" ? "there is no such file" : `it cannot be read (${code})` };
  }
}
