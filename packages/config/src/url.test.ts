import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseUrl } from "./url.ts";

const web = ["http", "https"];

describe("parseUrl", () => {
  test.each([
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://localhost:8080/", "http://localhost:8080"],
    ["HTTP://LocalHost:8080//", "http://localhost:8080"],
    ["https://host/qbittorrent/", "https://host/qbittorrent"],
    ["http://host:8080/#/torrents", "http://host:8080"],
    ["https://ntfy.sh/topic?x=1", "https://ntfy.sh/topic?x=1"],
    ["http://user:pass@host", "http://user:pass@host"],
  ])("reads %s as %s", (text, url) => {
    expect(parseUrl(text, web)).toEqual({ ok: true, value: url });
  });

  test("reads other schemes where they are asked for", () => {
    expect(parseUrl("redis://redis:6379/0", ["redis"])).toEqual({ ok: true, value: "redis://redis:6379/0" });
    expect(parseUrl("redis://redis:6379/0", web)).toEqual({ ok: false, problem: "is a redis URL" });
  });

  test.each(["localhost:8080", "http://", "http:///x", "http://:80", "//host", "http//host", ""])(
    "refuses %j",
    (text) => {
      expect(parseUrl(text, web)).toEqual({ ok: false, problem: "is not a URL" });
    },
  );

  test("reads its own answer as the same URL", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (text) => {
        const reading = parseUrl(text, web);
        expect(reading.ok && parseUrl(reading.value, web)).toEqual(reading);
      }),
    );
  });
});
