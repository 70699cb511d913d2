import type { Job } from "@qbit-sidecars/jobs";
import type { OutsideRequest } from "@qbit-sidecars/rules";
import { expect, test } from "vitest";
import { fencedOutside } from "./fence.ts";

const about = { hash: "a".repeat(40), ruleIndex: 0, actionIndex: 1 };
const message: OutsideRequest = { method: "POST", url: "http://hook/", body: "hello", about };

/** What gets through the fence of a run with these jobs. */
function behindFence(jobs: Pick<Job, "id" | "hash">[], { isHeld = true } = {}) {
  const sent: OutsideRequest[] = [];
  const saved: string[] = [];
  const outside = fencedOutside(
    {
      async send(request) {
        sent.push(request);
        return { status: 200, body: "" };
      },
      saveFile: async ({ name }) => void saved.push(name),
    },
    {
      jobs: jobs as Job[],
      async assertHeld() {
        if (!isHeld) throw new Error("lost");
      },
    },
  );
  const key = async (request = message) => {
    await outside.send(request);
    return sent.at(-1)?.headers?.["idempotency-key"];
  };
  return { outside, saved, sent, key };
}

test("nothing is sent or saved once the run is lost", async () => {
  const { outside, saved, sent } = behindFence([{ id: "one", hash: null }], { isHeld: false });
  await expect(outside.send(message)).rejects.toThrow("lost");
  await expect(outside.saveFile({ folder: "/f", name: "x.torrent" }, Buffer.from("x"))).rejects.toThrow(
    "lost",
  );
  expect([saved, sent]).toEqual([[], []]);
});

test("files are saved, and messages carry the key of the job that asked for that torrent", async () => {
  const jobs = [
    { id: "all", hash: null },
    { id: "own", hash: about.hash },
  ];
  const { outside, saved, key } = behindFence(jobs);
  await outside.saveFile({ folder: "/f", name: "x.torrent" }, Buffer.from("x"));
  expect(saved).toEqual(["x.torrent"]);
  const own = await key();
  expect(own).toMatch(/^[\da-f]{32}$/u);
  expect(await behindFence(jobs.slice(1)).key()).toBe(own);
  expect(await behindFence(jobs.slice(0, 1)).key()).not.toBe(own);
  expect(await key({ ...message, about: { ...about, actionIndex: 2 } })).not.toBe(own);
});

test("what is about no torrent has no key", async () => {
  const { about: _, ...plain } = message;
  expect(await behindFence([{ id: "one", hash: null }]).key(plain)).toBeUndefined();
});
