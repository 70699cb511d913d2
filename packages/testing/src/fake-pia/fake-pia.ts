import { type Authority, certificateAuthority } from "../certificate.ts";
import { seededRandom } from "../fake-qbittorrent/random.ts";
import { FakePiaGateway } from "./gateway.ts";
import { PiaModel } from "./model.ts";
import { startTokenServer, type TokenServer } from "./token-server.ts";

export type FakePiaOptions = {
  /** Tokens, bindings and signatures age by it. Default: the system's clock. */
  clock?: { now(): number };
  /** Default "p1234567" and "pia-password". */
  username?: string;
  password?: string;
  /** Names of the two servers. Default "panama408" and "zurich406". */
  hostnames?: readonly [string, string];
  /** The token endpoint speaks HTTPS with a certificate of PIA's own authority, as PIA's "meta" servers do. */
  metaToken?: boolean;
  /** Of tokens and ports. Default 1. */
  seed?: number;
};

/**
 * A PIA of one's own on the loopback addresses: the token endpoint, and two servers, 127.0.0.1 and 127.0.0.2, that
 * answer on the same port as PIA's do on 19999. Its certificates are signed by an authority that nobody else knows.
 */
export type FakePia = AsyncDisposable & {
  readonly username: string;
  readonly password: string;
  /** PEM of PIA's authority. */
  readonly ca: string;
  readonly authority: Authority;
  readonly tokens: TokenServer;
  readonly gateway: FakePiaGateway;
  readonly otherGateway: FakePiaGateway;
  /** Where both gateways listen. */
  readonly port: number;
  /** What PIA knows: to revoke, expire, occupy. */
  readonly model: PiaModel;
};

/** Starts a fake PIA. */
export async function startFakePia(options: FakePiaOptions = {}): Promise<FakePia> {
  const {
    clock = { now: () => Date.now() },
    username = "p1234567",
    password = "pia-password",
    hostnames = ["panama408", "zurich406"],
    metaToken = false,
    seed = 1,
  } = options;
  const authority = certificateAuthority("Private Internet Access");
  const model = new PiaModel({ now: () => clock.now(), username, password, random: seededRandom(seed) });
  await using closers = new AsyncDisposableStack();
  const certificate = metaToken ? authority.issue({ names: ["127.0.0.1"] }) : undefined;
  const tokens = closers.use(await startTokenServer((fields) => model.logIn(fields), certificate));
  const gatewayAt = (address: string, hostname: string) =>
    new FakePiaGateway({
      address,
      hostname,
      certificate: authority.issue({ names: [hostname] }),
      bindings: model.bindings(address),
      answer: (request) => model.answer(address, request),
    });
  const gateway = gatewayAt("127.0.0.1", hostnames[0]);
  const otherGateway = gatewayAt("127.0.0.2", hostnames[1]);
  closers.defer(() => gateway.down());
  closers.defer(() => otherGateway.down());
  await gateway.up();
  await otherGateway.up(gateway.port);
  const resources = closers.move();
  return {
    username,
    password,
    ca: authority.cert,
    authority,
    tokens,
    gateway,
    otherGateway,
    port: gateway.port,
    model,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
