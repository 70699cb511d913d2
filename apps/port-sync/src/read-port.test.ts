import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPort } from "./read-port.ts";

describe("the text of a port file", () => {
  test.each([
    ["51413", 51413],
    ["51413\n", 51413],
    ["\r\n 51413 \r\n", 51413],
    ["1", 1],
    ["65535", 65535],
    ["00051413", 51413],
  ])("%j is port %i", (text, port) => {
    expect(readPort(text, 1)).toEqual({ kind: "port", port });
  });

  test.each([
    ["", "the port file is empty"],
    [" \n\t\r\n", "the port file is empty"],
    ["0", "the port file says 0, gluetun's word for no port"],
    ["000", "the port file says 0, gluetun's word for no port"],
  ])("%j means that the VPN forwards no port", (text, why) => {
    expect(readPort(text, 1)).toEqual({ kind: "none", why, cleared: true });
  });

  test.each([
    ["65536", "the port file says 65536; ports end at 65535"],
    ["-1", 'the port file says "-1", which is not a port'],
    ["51413.0", 'the port file says "51413.0", which is not a port'],
    ["0x1F90", 'the port file says "0x1F90", which is not a port'],
    ["1e4", 'the port file says "1e4", which is not a port'],
    ["５１４１３", 'the port file says "５１４１３", which is not a port'],
    ["51413 51414", 'the port file says "51413 51414", which is not a port'],
    ["\0\0\0\0\0", String.raw`the port file says "\u0000\u0000\u0000\u0000\u0000", which is not a port`],
    [
      "<html><body>Not found</body></html>",
      'the port file says "<html><body>Not foun…", which is not a port',
    ],
    ["99999999999999999999", 'the port file says "99999999999999999999", which is not a port'],
  ])("%j is junk, which takes no port away", (text, why) => {
    expect(readPort(text, 1)).toEqual({ kind: "none", why, cleared: false });
  });

  test("PORT_INDEX picks among several lines, blank ones not counted", () => {
    const text = "1111\n\n2222\r\n3333";
    expect([1, 2, 3].map((index) => readPort(text, index))).toEqual([
      { kind: "port", port: 1111 },
      { kind: "port", port: 2222 },
      { kind: "port", port: 3333 },
    ]);
    expect(readPort(text, 4)).toEqual({
      kind: "none",
      why: "the port file holds 3 ports and PORT_INDEX is 4",
      cleared: false,
    });
    expect(readPort("1111", 2)).toMatchObject({ why: "the port file holds one port and PORT_INDEX is 2" });
  });

  test("whatever the text, the result is a port from 1 to 65535 or a reason, never 0", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 16 }), (text, index) => {
        expect(readPort(text, index)).toSatisfy((reading: ReturnType<typeof readPort>) =>
          reading.kind === "port" ? reading.port >= 1 && reading.port <= 65_535 : reading.why !== "",
        );
      }),
    );
  });
});
