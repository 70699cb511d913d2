/** What Node and OpenSSL say when TLS fails, and what a person does about it. */
const hints: readonly (readonly [RegExp, (context: HintContext) => string])[] = [
  [
    /wrong version number|packet length too long/i,
    () =>
      "it speaks no TLS: give the destination --tls-cert-file and --tls-key-file, or take --tls and the TLS files from this source",
  ],
  [
    /self-signed certificate|unable to (verify the first|get (local )?issuer) certificate/i,
    () =>
      "the authority of its certificate is not believed here: give this source --tls-ca-file, the authority's certificate or the destination's own one where it signed itself",
  ],
  [/certificate has expired/i, () => "the destination's certificate is out of date: renew it there"],
  [
    /certificate is not yet valid/i,
    () => "the destination's certificate begins later: compare the clocks of both machines",
  ],
  [
    /does not match certificate's altnames/i,
    ({ serverName }) =>
      `the destination's certificate is not for ${serverName}: have it made for that name or address too, or say with --tls-server-name what it is for`,
  ],
  [
    /alert (unknown ca|bad certificate|certificate (expired|unknown|required)|handshake failure)/i,
    () =>
      "it does not believe this source's certificate: --tls-cert-file must be of an authority that the destination has in --tls-client-ca-file, and not out of date",
  ],
];

type HintContext = { isTls: boolean; serverName: string | undefined };

/** What to do about a failure to connect; undefined where the failure's own words say enough. */
export function hintFor(failure: string, context: HintContext): string | undefined {
  if (!context.isTls)
    return /protocol error|ERR_HTTP2/i.test(failure)
      ? "what answers there speaks no clear HTTP/2: if it is TLS, give this source --tls or --tls-ca-file"
      : undefined;
  return hints.find(([pattern]) => pattern.test(failure))?.[1](context);
}
