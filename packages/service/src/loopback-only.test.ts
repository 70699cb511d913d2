import { expect, test } from "vitest";

import { isLoopbackAddress } from "./loopback-only.ts";

test.each(["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])("%s is this machine", (address) => {
  expect(isLoopbackAddress(address)).toBe(true);
});

test.each(["10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "127.0.0.1.evil.example", "2001:db8::127.0.0.1", ""])(
  "%j is not",
  (address) => {
    expect(isLoopbackAddress(address)).toBe(false);
  },
);
