import { expect, test } from "vitest";
import { describePortChange, type PortChange, PortChanges } from "./port-changes.ts";

const change: PortChange = {
  at: new Date(0),
  from: 6881,
  to: 51_413,
  kind: "set",
  why: "it listened on 6881",
};

test("each change is told to who listens, and the last ten are kept", () => {
  const changes = new PortChanges();
  const heard: number[] = [];
  changes.onChange(({ to }) => heard.push(to));
  for (let to = 1; to <= 12; to += 1) changes.add({ ...change, to });
  expect(heard).toHaveLength(12);
  expect(changes.latest.map(({ to }) => to)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(changes.report()[0]).toEqual({ ...change, at: "1970-01-01T00:00:00.000Z", to: 12 });
});

test.each([
  [{}, "the port is 51413 now, it was 6881 (it listened on 6881)"],
  [{ from: 0, why: "PIA forwards this port" }, "the port is 51413 now, it was none (PIA forwards this port)"],
  [{ from: 51_413, why: "UPnP was on" }, "qBittorrent's settings for port 51413 put right (UPnP was on)"],
  [{ kind: "rebind", why: "disconnected" } as const, "qBittorrent took port 51413 anew (disconnected)"],
])("%j is told as %j", (how, line) => {
  expect(describePortChange({ ...change, ...how })).toBe(line);
});
