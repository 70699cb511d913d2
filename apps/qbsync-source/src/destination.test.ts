import { messageWithCauses } from "@qbit-sidecars/service";
import { freePort } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { Connection } from "./destination.ts";

test("a destination that is not there is told of in one short sentence, and once", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const error: unknown = await Connection.dial({ address, program: "test", timeoutMs: 5000 }).catch(
    (reason: unknown) => reason,
  );
  expect(messageWithCauses(error)).toBe(`reaching ${address}: connect ECONNREFUSED ${address}`);
});
