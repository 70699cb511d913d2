import { waitFor } from "@qbit-sidecars/testing";
import type { Narrator, Stage } from "../stage.ts";

/** Something a user would see happen. `play` resolves when it was seen to come true and throws when not. */
export type Story = { title: string; play(stage: Stage, tell: Narrator): Promise<void> };

const patienceMs = 30_000;

const portGiven: Story = {
  title: "The VPN forwards a port, and qBittorrent listens on it",
  async play(stage, tell) {
    const port = await stage.unusedPort();
    tell("gluetun", `the VPN forwards port ${port}`);
    await stage.gluetun.forward(port);
    await stage.listensOn(port);
    await converged(stage);
  },
};

const portReplaced: Story = {
  title: "The VPN reconnects and forwards another port",
  async play(stage, tell) {
    const port = await stage.unusedPort();
    tell("gluetun", "the tunnel is down, the port file is cleared");
    await stage.gluetun.clear();
    await notConverged(stage, "the port file is empty");
    tell("gluetun", `the tunnel is up again and forwards port ${port}`);
    await stage.gluetun.forward(port);
    await stage.listensOn(port);
    await converged(stage);
  },
};

const samePortAgain: Story = {
  title: "The VPN reconnects with the same port: qBittorrent is made to take it anew",
  async play(stage, tell) {
    const port = await stage.unusedPort();
    tell("gluetun", `the VPN forwards port ${port}`);
    await stage.gluetun.forward(port);
    await stage.listensOn(port);
    await converged(stage);
    const before = await rebinds(stage);
    tell("gluetun", "the tunnel is down, the port file is cleared");
    await stage.gluetun.clear();
    await notConverged(stage, "the port file is empty");
    tell("gluetun", `the tunnel is up again, with the same port ${port}; qBittorrent alone would stay deaf`);
    await stage.gluetun.forward(port);
    await waitFor(async () => (await rebinds(stage)) === before + 1, {
      timeoutMs: patienceMs,
      what: "a rebind",
    });
    await stage.listensOn(port);
    await converged(stage);
  },
};

const changedByHand: Story = {
  title: "Somebody changes the port in qBittorrent, and it is put right",
  async play(stage, tell) {
    const { listen_port: port } = await stage.client.app.preferences({});
    const wrong = await stage.unusedPort();
    tell("you", `set qBittorrent's port to ${wrong} in its settings`);
    await stage.client.app.setPreferences({ listen_port: wrong });
    await stage.listensOn(port);
    await converged(stage);
  },
};

const restarted: Story = {
  title: "qBittorrent restarts while the port changes, and is found again",
  async play(stage, tell) {
    const port = await stage.unusedPort();
    tell("qBittorrent", "stops");
    await stage.qbittorrent.stop();
    tell("gluetun", `meanwhile the VPN forwards port ${port}`);
    await stage.gluetun.forward(port);
    await waitFor(async () => !(await stage.status()).converged, {
      timeoutMs: patienceMs,
      what: "port-sync noticing",
    });
    tell("qBittorrent", "starts again");
    await stage.qbittorrent.start();
    await stage.listensOn(port);
    await converged(stage);
  },
};

/** port-sync's stories, in the order they are told. Each starts from a converged stage, the first from an empty one. */
export const portSyncStories: readonly Story[] = [
  portGiven,
  portReplaced,
  samePortAgain,
  changedByHand,
  restarted,
];

async function converged(stage: Stage): Promise<void> {
  await waitFor(async () => (await stage.status()).converged, {
    timeoutMs: patienceMs,
    what: "port-sync in sync",
  });
}

async function notConverged(stage: Stage, reason: string): Promise<void> {
  await waitFor(async () => (await stage.status()).reason.includes(reason), {
    timeoutMs: patienceMs,
    what: `port-sync saying "${reason}"`,
  });
}

async function rebinds(stage: Stage): Promise<number> {
  return (await stage.status()).changes.filter(({ kind }) => kind === "rebind").length;
}
