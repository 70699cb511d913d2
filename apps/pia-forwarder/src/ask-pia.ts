import { Agent } from "node:https";
import type { LookupFunction } from "node:net";
import { getCACertificates } from "node:tls";
import got, { type OptionsOfTextResponseBody, RequestError } from "got";
import { looseObject, optional, safeParse, string } from "zod/mini";
import { isPrivate } from "./gateway.ts";
import { PiaCertificateError, type PiaError, PiaResponseError, PiaUnreachableError } from "./pia-errors.ts";
import type { PiaAnswer, PiaTransport } from "./pia.ts";

type AskPiaOptions = {
  tokenUrl: string;
  gatewayPort: number;
  timeoutMs: number;
  /** Name the gateway's certificate must carry; without one any name will do. */
  hostname?: string | undefined;
  /** PEM of PIA's authority; without it the gateway's certificate is not checked. */
  ca?: string | undefined;
};

const answerMaxBytes = 64 * 1024;

/** Talks to PIA over the network. */
export function piaOverHttps(options: AskPiaOptions): PiaTransport {
  const { tokenUrl, gatewayPort, timeoutMs, hostname, ca } = options;
  return {
    async askGateway({ gateway, path, query = {} }, signal) {
      if (ca === undefined && !isPrivate(gateway)) throw notChecked(gateway);
      // With a name, the URL carries it and the lookup gives the address, as curl's --connect-to does: SNI, Host and
      // the check of the certificate all go by the name, and no DNS is asked.
      const url = `https://${hostname ?? gateway}:${gatewayPort}${path}`;
      return exchange(`asking PIA's gateway ${gateway}`, url, {
        method: "GET",
        searchParams: new URLSearchParams(query),
        signal,
        timeout: { request: timeoutMs, connect: Math.min(5000, timeoutMs) },
        dnsLookup: lookupOf(gateway),
        https: gatewayTls({ hostname, ca }),
      });
    },
    askToken(form, signal) {
      return exchange("getting a token from PIA", tokenUrl, {
        method: "POST",
        form,
        signal,
        timeout: { request: Math.max(timeoutMs, 1000) * 2 },
        https: tokenTls(tokenUrl, ca),
      });
    },
  };
}

/** The time of PIA's token server, as its Date header tells it; nothing is shown to it. @throws PiaError */
export async function dateOf(
  tokenUrl: string,
  { timeoutMs, ca }: Pick<AskPiaOptions, "timeoutMs" | "ca">,
  signal: AbortSignal,
): Promise<string | undefined> {
  const doing = "asking PIA's token server for its time";
  const https = tokenTls(tokenUrl, ca);
  const answer = await exchange(doing, tokenUrl, {
    method: "HEAD",
    signal,
    timeout: { request: timeoutMs },
    https,
  });
  return answer.date;
}

function notChecked(gateway: string): PiaCertificateError {
  const why = "without PIA_CA_CERT nobody can tell whether that is PIA, and it is not inside a tunnel";
  return new PiaCertificateError(`asking PIA's gateway ${gateway}: ${why}`, {});
}

/** PIA's own authority and no other: `ca` replaces the system's roots. */
function gatewayTls({ hostname, ca }: Pick<AskPiaOptions, "hostname" | "ca">) {
  if (ca === undefined) return { rejectUnauthorized: false };
  if (hostname !== undefined) return { certificateAuthority: ca };
  // Any server of PIA's: the chain is checked, the name is not.
  return { certificateAuthority: ca, checkServerIdentity: () => undefined };
}

/**
 * The website's certificate is checked against the system's roots. Another address is one of PIA's "meta" servers,
 * whose certificates PIA's own authority signs.
 */
export function tokenTls(tokenUrl: string, ca: string | undefined): { certificateAuthority?: string[] } {
  const { hostname } = new URL(tokenUrl);
  if (ca === undefined || /(^|\.)privateinternetaccess\.com$/.test(hostname)) return {};
  return { certificateAuthority: [...getCACertificates("default"), ca] };
}

/** Knows one address for every name, so that no DNS is asked. */
function lookupOf(address: string): LookupFunction {
  return (_name, options, done) => {
    if (options.all === true) done(null, [{ address, family: 4 }]);
    else done(null, address, 4);
  };
}

type Exchanged = PiaAnswer & { date: string | undefined };

async function exchange(doing: string, url: string, options: OptionsOfTextResponseBody): Promise<Exchanged> {
  // A connection of its own for each request: minutes lie between them, and tunnels do not last.
  const agent = new Agent({ keepAlive: false });
  const tooLarge = new AbortController();
  const signal = AbortSignal.any([options.signal ?? tooLarge.signal, tooLarge.signal]);
  try {
    const request = got(url, {
      ...options,
      signal,
      agent: { https: agent },
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: false,
    });
    void request.on("downloadProgress", ({ transferred }) => {
      if (transferred > answerMaxBytes) tooLarge.abort();
    });
    const { statusCode, body, headers } = await request;
    return { status: statusCode, body, date: headers.date };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (tooLarge.signal.aborted)
      throw new PiaResponseError(`${doing}: the answer is endless`, { cause: undefined });
    throw explain(error, doing);
  } finally {
    agent.destroy();
  }
}

/** got's error carries the request, and with it the token or the password: ours is made from scratch. */
function explain(error: unknown, doing: string): PiaError {
  if (!(error instanceof RequestError)) return new PiaUnreachableError(`${doing}: ${String(error)}`);
  const { code } = error;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return wrongName(error.cause, doing);
  const why = certificateFaults[code];
  if (why !== undefined) return new PiaCertificateError(`${doing}: ${why}`, {});
  return new PiaUnreachableError(`${doing}: ${transportFaults[code] ?? `it failed (${code})`}`);
}

function wrongName(cause: unknown, doing: string): PiaCertificateError {
  const names = namesOn(cause);
  const message =
    `${doing}: the server there is ${names.join(" or ") || "another one"} by its certificate, not the one in ` +
    `PIA_HOSTNAME; set PIA_HOSTNAME to that name or leave it out`;
  return new PiaCertificateError(message, { names });
}

/** From the error of Node's checkServerIdentity, which carries the certificate: "DNS:a, DNS:b". */
function namesOn(cause: unknown): string[] {
  const parsed = safeParse(altnameErrorSchema(), cause);
  if (!parsed.success) return [];
  const { subjectaltname = "", subject } = parsed.data.cert;
  const alternatives = subjectaltname.split(",").map((name) => name.trim().replace(/^\w+:/, ""));
  const names = alternatives.filter((name) => name !== "");
  return names.length > 0 ? names : [subject?.CN ?? ""].filter((name) => name !== "");
}

function altnameErrorSchema() {
  const subject = optional(looseObject({ CN: optional(string()) }));
  return looseObject({ cert: looseObject({ subjectaltname: optional(string()), subject }) });
}

const notByPia =
  "no authority that is trusted here signed its certificate; for the gateway that is PIA_CA_CERT";

const certificateFaults: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: notByPia,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: notByPia,
  UNABLE_TO_GET_ISSUER_CERT: notByPia,
  DEPTH_ZERO_SELF_SIGNED_CERT: notByPia,
  SELF_SIGNED_CERT_IN_CHAIN: notByPia,
  CERT_SIGNATURE_FAILURE: notByPia,
  CERT_HAS_EXPIRED: "its certificate has expired, or this machine's clock is wrong",
  CERT_NOT_YET_VALID: "its certificate is not valid yet, or this machine's clock is wrong",
};

const transportFaults: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there; is this a server with port forwarding (no US one is)?",
  ETIMEDOUT: "no answer in time; is the tunnel up?",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection broke",
  EHOSTUNREACH: "there is no way to it; is the tunnel up?",
  ENETUNREACH: "there is no way to it; is the tunnel up?",
  EPROTO: "it does not speak TLS",
  ENOTFOUND: "its name is unknown; does DNS work?",
  EAI_AGAIN: "its name cannot be looked up; does DNS work?",
};
