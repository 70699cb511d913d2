import { createLog } from "@qbit-sidecars/service";
import { FakeClock, PiaModel, seededRandom } from "@qbit-sidecars/testing";
import { GivePort } from "./give-port.ts";
import { HoldPort } from "./hold-port.ts";
import { PiaUnreachableError } from "./pia-errors.ts";
import { Pia } from "./pia.ts";
import { type Loops, startLoops } from "./start-loops.ts";
import { readStateFile, stateFile } from "./state.ts";

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const happenings = [
  "restart",
  "flap",
  "outage",
  "suspend",
  "busy",
  "server full",
  "login refused",
  "qbittorrent away",
] as const;
type Happening = (typeof happenings)[number];

const account = { username: "p1234567", password: "pia-password" };

/** So long it may take to be well again once PIA is. */
const recoveryMs = 65 * secondMs;

/**
 * A year of the whole of pia-forwarder but its sockets: plan, errors, loops and state file are the real ones, PIA is the
 * model of the fake. Whatever happens, happens at random times.
 */
export async function liveThrough({ seed, days }: { seed: number; days: number }) {
  const year = new Year(
    seed,
    await createLog({ name: "year", level: "silent", format: "json", output: nowhere }),
  );
  year.begin();
  await year.live(days * dayMs);
  await year.end();
  return year;
}

const nowhere = { write: () => true };

class Year {
  readonly clock = new FakeClock(Date.UTC(2026, 0, 1));
  /** Moments at which nobody gets in although PIA's rules allow it, with what happened last. */
  readonly lost: string[] = [];
  readonly happened: Record<Happening, number>;
  samples = 0;
  logins = 0;
  binds = 0;
  readonly ports = new Set<number>();
  readonly #log;
  readonly #random: () => number;
  readonly #model: PiaModel;
  readonly #files = new Map<string, string>();
  #server = "127.0.0.1";
  #isReachable = true;
  #acceptsLogin = true;
  #qbittorrent = { isUp: true, port: 6881 };
  /** Until then PIA, or somebody, does not let the port be had. */
  #excusedUntil = 5 * minuteMs;
  #last = "start";
  #life: { loops: Loops; hold: HoldPort; closers: AsyncDisposableStack } | undefined;
  #startedLife: Promise<void> = Promise.resolve();

  constructor(seed: number, log: Awaited<ReturnType<typeof createLog>>) {
    this.#random = seededRandom(seed);
    this.#log = log;
    this.#model = new PiaModel({ now: this.clock.now, ...account, random: this.#random });
    this.happened = {
      restart: 0,
      flap: 0,
      outage: 0,
      suspend: 0,
      busy: 0,
      "server full": 0,
      "login refused": 0,
      "qbittorrent away": 0,
    };
    this.#excusedUntil += this.clock.now();
  }

  begin(): void {
    this.#startedLife = this.#start();
  }

  async end(): Promise<void> {
    await this.#life?.closers.disposeAsync();
  }

  async live(ms: number): Promise<void> {
    await this.#startedLife;
    const until = this.clock.now() + ms;
    await this.#pass(hourMs);
    while (this.clock.now() < until) {
      await this.#happen(happenings[Math.floor(this.#random() * happenings.length)] ?? "restart");
      await this.#pass((2 + this.#random() * 18) * hourMs);
    }
  }

  async #happen(what: Happening): Promise<void> {
    this.happened[what] += 1;
    this.#last = `${what} at ${new Date(this.clock.now()).toISOString()}`;
    const upTo = (longestMs: number) => this.#random() * longestMs;
    switch (what) {
      case "restart":
        await this.end();
        await this.#pass(upTo(9 * minuteMs));
        await this.#start();
        break;
      case "flap":
        await this.#withoutTunnel(10 * secondMs + upTo(hourMs));
        break;
      case "outage":
        // The binding is not lost by it, so neither may the port be.
        this.#isReachable = false;
        await this.#pass(upTo(8 * minuteMs));
        this.#isReachable = true;
        break;
      case "suspend":
        this.clock.jumpWallClock(hourMs + upTo(9 * hourMs));
        this.#excuse(0);
        await this.#pass(5 * secondMs);
        this.#noticed("the machine was asleep");
        break;
      case "busy":
        this.#forgetPort([this.#qbittorrent.port]);
        break;
      case "server full":
        this.#forgetPort("all");
        await this.#passExcused(upTo(2 * hourMs));
        this.#model.bindings(this.#server).occupy([]);
        this.#excuse(minuteMs);
        break;
      case "login refused":
        this.#acceptsLogin = false;
        await this.#pass(upTo(3 * dayMs));
        this.#acceptsLogin = true;
        // Longest wait for the next try.
        await this.#pass(7 * hourMs);
        break;
      case "qbittorrent away":
        this.#qbittorrent.isUp = false;
        await this.#passExcused(upTo(3 * hourMs));
        this.#qbittorrent = { isUp: true, port: 6881 };
        this.#excuse(0);
        break;
    }
  }

  /** The server gives the port to somebody else, and tells nobody before the next binding: CHECK_INTERVAL later. */
  #forgetPort(occupied: "all" | readonly number[]): void {
    this.#model.bindings(this.#server).occupy(occupied);
    this.#model.bindings(this.#server).drop();
    this.#excuse(5 * minuteMs);
  }

  /** The tunnel is down, its ports are lost, and it comes back to the same server or another. */
  async #withoutTunnel(ms: number): Promise<void> {
    this.#isReachable = false;
    this.#model.bindings(this.#server).drop();
    await this.#passExcused(ms);
    this.#model.bindings(this.#server).occupy([]);
    this.#server = this.#random() < 0.5 ? "127.0.0.1" : "127.0.0.2";
    this.#isReachable = true;
    this.#excuse(0);
    await this.#pass(5 * secondMs);
    this.#noticed("the tunnel changed");
  }

  #noticed(why: string): void {
    this.#life?.hold.bindAnew();
    this.#life?.loops.holding.wake(why, { supersede: true });
  }

  #excuse(ms: number): void {
    this.#excusedUntil = Math.max(this.#excusedUntil, this.clock.now() + ms + recoveryMs);
  }

  async #passExcused(ms: number): Promise<void> {
    this.#excuse(ms);
    await this.#pass(ms);
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 2.5 * minuteMs) {
      await this.clock.advance(Math.min(left, 2.5 * minuteMs));
      this.#look();
    }
  }

  #look(): void {
    this.samples += 1;
    const now = this.clock.now();
    if (now < this.#excusedUntil) return;
    const { isUp, port } = this.#qbittorrent;
    if (isUp && this.#model.bindings(this.#server).isBound(port)) return;
    this.lost.push(`${new Date(now).toISOString()} after ${this.#last}`);
  }

  async #start(): Promise<void> {
    const closers = new AsyncDisposableStack();
    const now = this.clock.now;
    const folder = {
      read: (name: string) => Promise.resolve(this.#files.get(name)),
      write: (name: string, content: string) => {
        this.#files.set(name, content);
        return Promise.resolve(true);
      },
    };
    const about = { hostname: undefined, username: account.username, now };
    const pia = this.#pia();
    const hold = new HoldPort({
      pia,
      gateways: { find: () => Promise.resolve(this.#server), forget() {} },
      // Without the token file: a look at a real file takes real time.
      tokens: {
        token: async (_rejected, signal) => {
          const value = await pia.token(account, signal);
          return { value, obtainedAtMs: now(), from: "login" };
        },
      },
      keeper: stateFile(folder, about),
      policy: { bindEveryMs: 5 * minuteMs, renewBeforeMs: 7 * dayMs, canLogIn: true },
      kept: await readStateFile(folder, about),
      now,
    });
    const give = new GivePort({
      held: () => hold.held(),
      onGiven: (port) => hold.release(port),
      listener: { listenOn: ({ port }) => this.#listenOn(port), isDeaf: () => Promise.resolve(false) },
      noticeboard: undefined,
      now,
    });
    const loops = startLoops(hold, give, {
      log: this.#log,
      clock: this.clock,
      random: this.#random,
      signal: new AbortController().signal,
      closers,
      bindEveryMs: 5 * minuteMs,
      giveEveryMs: minuteMs,
    });
    this.#life = { loops, hold, closers };
  }

  #pia(): Pia {
    return new Pia(
      {
        askGateway: async ({ gateway, path, query = {} }) => {
          if (!this.#isReachable) throw new PiaUnreachableError("the tunnel is down");
          const answer = this.#model.answer(gateway, { path, query });
          if (path === "/bindPort") this.binds += 1;
          return answer;
        },
        askToken: async (form) => {
          this.logins += 1;
          return this.#model.logIn(this.#acceptsLogin ? form : {});
        },
      },
      this.clock.now,
    );
  }

  async #listenOn(port: number) {
    if (!this.#qbittorrent.isUp) throw new Error("qBittorrent is away");
    const before = this.#qbittorrent.port;
    this.#qbittorrent.port = port;
    this.ports.add(port);
    return { outcome: before === port ? ("unchanged" as const) : ("set" as const), before };
  }
}
