import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatAddress, parseAddress } from "./address.ts";

describe("parseAddress", () => {
  test.each([
    ["8080", undefined, 8080],
    [":8080", undefined, 8080],
    ["0.0.0.0:8080", "0.0.0.0", 8080],
    ["localhost:80", "localhost", 80],
    ["qbsync-destination:50051", "qbsync-destination", 50_051],
    ["[::1]:80", "::1", 80],
    ["[fe80::1%eth0]:80", "fe80::1%eth0", 80],
    [":0", undefined, 0],
  ])("reads %s", (text, host, port) => {
    expect(parseAddress(text)).toEqual({ ok: true, value: { host, port } });
  });

  test.each([
    ["::1:80", "is not an address: an IPv6 address needs brackets"],
    ["http://host:80", "is not an address: it is a URL"],
    ["localhost", "is not an address"],
    ["host:", "is not an address"],
    [":99999", "has a port above 65535"],
    ["[1.2.3]:80", "has no IPv6 address in its brackets"],
    ["", "is not an address"],
  ])("refuses %j: it %s", (text, problem) => {
    expect(parseAddress(text)).toEqual({ ok: false, problem });
  });

  test("answers any text with an address or a problem", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[[\]\w.:%]*$/));
    fc.assert(
      fc.property(text, (written) => {
        const reading = parseAddress(written);
        const again = reading.ok ? parseAddress(formatAddress(reading.value)) : reading;
        expect(again).toEqual(reading);
      }),
    );
  });

  test("reads back what formatAddress writes", () => {
    const host = fc.oneof(fc.constant(undefined), fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(host, fc.nat(65_535), (name, port) => {
        const address = { host: name, port };
        expect(parseAddress(formatAddress(address))).toEqual({ ok: true, value: address });
      }),
    );
  });
});
