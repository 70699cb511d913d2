import { type FakeClock, showOnPhone, waitFor } from "@qbit-sidecars/testing";
import type { World } from "./sidecar-under-test.ts";

export const hash = "a".repeat(40);
export const downloading = {
  state: "downloading",
  progress: 0,
  dlspeed: 1024 * 1024,
  eta: 3723,
  amount_left: 1000,
  downloaded: 0,
};
export const done = (now: number) => ({
  state: "stalledUP",
  progress: 1,
  amount_left: 0,
  downloaded: 1000,
  completion_on: Math.floor(now / 1000),
});

/** Messages on the topic, without what takes cards away. */
export const messagesOf = ({ ntfy }: World) =>
  ntfy.messages("downloads").filter(({ event }) => event === "message");
/** What a phone that knows sequences shows and has sounded. */
export const screenOf = ({ ntfy }: World) => showOnPhone(ntfy.messages("downloads"));
/** Waits for a notice that holds the text. */
export const sent = (at: World, text: string) =>
  waitFor(() => messagesOf(at).some(({ message = "" }) => message.includes(text)), {
    what: `a notice: ${text}`,
  });
/** Waits until nothing is tracked and nothing is left to send. */
export const quiet = (at: World) =>
  waitFor(
    async () => {
      const { outbox, tracked } = await at.get("/status");
      return JSON.stringify([outbox, tracked]) === "[[],[]]";
    },
    { what: "nothing left to do" },
  );

export async function started(at: World): Promise<void> {
  await waitFor(() => at.lines.some(({ msg }) => msg.startsWith("health and metrics")), {
    what: "the start",
  });
  await waitFor(() => at.qbittorrent.calls.count("sync/maindata") > 0, { what: "the first look" });
}

/** In steps, with real time in between for the sockets. */
export async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    await clock.advance(1000);
    await clock.settle();
  }
}
