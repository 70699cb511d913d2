import { waitFor } from "@qbit-sidecars/testing";
import type { PiaNarrator, PiaStage } from "../pia-stage.ts";

/** Something a user would see happen. `play` resolves when it was seen to come true and throws when not. */
export type PiaStory = { title: string; play(stage: PiaStage, tell: PiaNarrator): Promise<void> };

const patienceMs = 30_000;
const dayMs = 24 * 3_600_000;

const granted: PiaStory = {
  title: "PIA grants a port, and qBittorrent listens on it",
  async play(stage) {
    const port = await stage.listensOnForwarded();
    await holds(stage, port);
  },
};

const restarted: PiaStory = {
  title: "pia-forwarder restarts, and the port is the same",
  async play(stage, tell) {
    const port = await stage.listensOnForwarded();
    const signatures = stage.pia.gateway.count("getSignature");
    await stage.restart();
    await holds(stage, port);
    const asked = stage.pia.gateway.count("getSignature") - signatures;
    if (asked > 0) throw new Error(`PIA was asked for ${asked} other ports`);
    tell("PIA", "was not asked for another port, nor for a login");
  },
};

const flapped: PiaStory = {
  title: "The tunnel flaps: the port is bound again, and qBittorrent made to take it anew",
  async play(stage, tell) {
    const port = await stage.listensOnForwarded();
    const before = await rebinds(stage);
    tell("PIA", "the tunnel is down, and with it the port");
    await stage.pia.gateway.down();
    stage.pia.gateway.bindings.drop();
    await waitFor(async () => (await metrics(stage)).includes('{reason="PiaUnreachableError"}'), {
      timeoutMs: patienceMs,
      what: "pia-forwarder noticing",
    });
    tell("PIA", "the tunnel is up again");
    await stage.pia.gateway.up();
    await waitFor(async () => (await rebinds(stage)) > before, { timeoutMs: patienceMs, what: "a rebind" });
    await stage.listensOnForwarded();
    await holds(stage, port);
  },
};

const replaced: PiaStory = {
  title: "PIA takes the port back: another one is got and given over",
  async play(stage, tell) {
    const port = await stage.listensOnForwarded();
    tell("PIA", `calls the signature of port ${port} bad from now on`);
    stage.pia.model.replaceSigningKey();
    const next = await stage.listensOnForwarded(port);
    await holds(stage, next);
  },
};

const renewed: PiaStory = {
  title: "The port comes to its end: another one is bound before the old one is left",
  async play(stage, tell) {
    const port = await stage.listensOnForwarded();
    tell("PIA", "grants a port that ends in six seconds");
    stage.pia.model.signatureMs = 6000;
    stage.pia.model.replaceSigningKey();
    const ending = await stage.listensOnForwarded(port);
    stage.pia.model.signatureMs = 62 * dayMs;
    await waitFor(async () => Date.parse((await stage.status()).expires_at ?? "") > Date.now() + dayMs, {
      timeoutMs: patienceMs,
      what: "a port that lasts",
    });
    const next = await stage.listensOnForwarded(ending);
    if (!stage.pia.gateway.bindings.isBound(ending)) throw new Error(`port ${ending} was let go too early`);
    await holds(stage, next);
  },
};

/** pia-forwarder's stories, in the order they are told. */
export const piaForwarderStories: readonly PiaStory[] = [granted, restarted, flapped, replaced, renewed];

async function holds(stage: PiaStage, port: number): Promise<void> {
  await waitFor(
    async () => {
      const status = await stage.status();
      return status.held && status.port === port;
    },
    { timeoutMs: patienceMs, what: `pia-forwarder holding ${port}` },
  );
}

async function rebinds(stage: PiaStage): Promise<number> {
  return (await stage.status()).changes.filter(({ kind }) => kind === "rebind").length;
}

async function metrics(stage: PiaStage): Promise<string> {
  return (await fetch(`${stage.healthUrl}/metrics`)).text();
}
