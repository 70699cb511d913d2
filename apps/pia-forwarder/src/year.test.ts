import { expect, test, vi } from "vitest";
import { liveThrough } from "./year.fixture.ts";

vi.setConfig({ testTimeout: 600_000 });

const isLong = process.env["QBIT_SIDECARS_LONG"] === "1";
const seeds = isLong ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [1];

test.each(seeds)(
  "in a year of restarts, flaps, suspends and full servers no minute is lost that PIA's rules allow to keep (seed %i)",
  async (seed) => {
    const year = await liveThrough({ seed, days: 365 });
    expect(year.lost).toEqual([]);
    for (const count of Object.values(year.happened)) expect(count).toBeGreaterThan(15);
    // One for two months, and one for each time the server had given the port to somebody else.
    expect(year.ports.size).toBeLessThanOrEqual(8 + year.happened.busy + year.happened["server full"] * 2);
    expect(year.logins).toBeLessThanOrEqual(365 + year.happened["login refused"] * 30);
  },
);
