import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hideCredentials, quote } from "./quote.ts";

describe("hideCredentials", () => {
  test.each([
    ["http://user:pass@host:8080/qb", "http://***@host:8080/qb"],
    ["http://token@host", "http://***@host"],
    ["http://user:p@ss/wo rd@host", "http://***@host"],
    ["redis://:pass@redis:6379/0", "redis://***@redis:6379/0"],
    ["user:pass@host:8080", "***@host:8080"],
    ["https://ntfy.sh/topic?auth=abc&x=1", "https://ntfy.sh/topic?auth=***&x=1"],
    ["http://host/hook?api_key=abc", "http://host/hook?api_key=***"],
  ])("prints %s as %s", (text, printed) => {
    expect(hideCredentials(text)).toBe(printed);
  });

  test.each(["http://localhost:8080", "/config/qbt-rules.db", "me@example.org", "qbsync/drain", ""])(
    "leaves %j alone",
    (text) => {
      expect(hideCredentials(text)).toBe(text);
    },
  );

  test("hides every password before an @, however odd", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "binary" }), (noise) => {
        const password = `hunter2${noise}`;
        expect(hideCredentials(`http://user:${password}@host`)).not.toContain("hunter2");
      }),
    );
  });
});

describe("quote", () => {
  test("shows a text on one line", () => {
    expect(quote('a\n"b"')).toBe('"a\\n\\"b\\""');
  });

  test("hides a password also where the text is cut", () => {
    expect(quote(`http://user:hunter2${"x".repeat(200)}@host`)).toBe('"http://***@host"');
  });

  test("shortens long texts and does not show very long ones", () => {
    expect(quote("y".repeat(100))).toBe(`"${"y".repeat(80)}…"`);
    expect(quote("y".repeat(5000))).toBe("a text of 5000 characters");
  });
});
