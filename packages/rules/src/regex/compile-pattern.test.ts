import { describe, expect, test } from "vitest";
import { compilePattern } from "./compile-pattern.ts";
import { SlowMatches } from "./slow-matches.ts";

function search(pattern: string, text: string): boolean | string {
  const compiled = compilePattern(pattern);
  if ("wrong" in compiled) return compiled.wrong;
  return compiled.engine === "budget" ? "needs a budget" : compiled.test(text);
}

function engine(pattern: string): string {
  const compiled = compilePattern(pattern);
  return "wrong" in compiled ? compiled.wrong : compiled.engine;
}

/** Checked with Python 3.11: `bool(re.search(pattern, text))`. */
const python: readonly (readonly [pattern: string, text: string, found: boolean])[] = [
  ["(?i)1080P", "a.1080p.b", true],
  ["(?im)^b$", "a\nB\nc", true],
  ["^b$", "a\nb", false],
  ["a$", "a\n", true],
  ["a\\Z", "a\n", false],
  ["\\Aa", "ba", false],
  ["(?P<year>\\d{4})", "2026", true],
  ["(?i:A)b", "aB", false],
  ["(?i:A)b", "ab", true],
  ["(?-i:A)b", "Ab", true],
  ["(?s)a.b", "a\nb", true],
  ["a.b", "a\nb", false],
  ["(?x) a b  # comment\n c", "abc", true],
  ["a(?#comment)b", "ab", true],
  ["[]a]", "]", true],
  ["[^]a]", "]", false],
  ["[a\\]b]", "]", true],
  ["[\\w.-]+", "é", true],
  ["\\w", "é", true],
  ["(?a)\\w", "é", false],
  ["\\d", "٣", true],
  ["\\s", "\u00a0", true],
  ["a{,3}b", "aaab", true],
  ["^a{,2}b", "aaab", false],
  ["a{2}", "aa", true],
  ["a{x}", "a{x}", true],
  ["\\x41\\u0042\\103", "AB", false],
  ["\\x41\\u0042", "AB", true],
  ["\\0", "\0", true],
  ["[\\b]", "\b", true],
  ["\\bfilm\\b", "a film", true],
  ["fil\\B", "film", true],
  ["x|y|", "z", true],
  ["a\\.b\\-c\\/d", "a.b-c/d", true],
  ["é", "É", false],
  ["(?i)é", "É", true],
  ["(?i)straße", "STRASSE", false],
  ["😀", "a😀", true],
  ["^.$", "😀", true],
  ["(?u)a", "a", true],
  ["(foo|bar)+baz", "foobarbaz", true],
  ["(a+)+$", "aab", false],
  ["(a|b)*c", "ababc", true],
  ["(?a)\\d", "٣", false],
  ["[\\n]", "a\nb", true],
  ["[\\D]", "7", false],
  ["a{2,}$", "xaaa", true],
  ["a{2,}", "ba", false],
  ["(?:x|y)z", "yz", true],
  [".*", "", true],
  ["\\U0001F600", "a😀", true],
  ["(^a)b", "xab", false],
  ["(?:ab){2,20}c", "ababc", true],
  ["(?:ab){2,20}c", "abc", false],
  ["(?i:a(?-i:B))", "Ab", false],
  ["(?i:a(?-i:B))", "AB", true],
  ["^(.*?,){3}P", "1,2,3,P", true],
];

test.each(python)("as in Python, searching for %j in %j: %s", (pattern, text, found) => {
  expect(search(pattern, text)).toBe(found);
});

test.each([
  ["(", "not closed"],
  [")", "unbalanced"],
  ["[a", "bracket is not closed"],
  ["[z-a]", "bad character range"],
  ["[\\w-z]", "bad character range"],
  ["*a", "nothing to repeat"],
  ["^*", "nothing to repeat"],
  ["a**", "multiple repeat"],
  ["a{3,2}", "min repeat"],
  ["a{2000}", "above 1000"],
  ["a++", "possessive"],
  ["x(?i)", "belong at its start"],
  ["(?>a)", "atomic"],
  ["(a)(?(1)b|c)", "conditional"],
  ["(?<n>a)", "unknown kind"],
  ["(?P<n>a)(?P<n>b)", "used twice"],
  ["(?P=n)", "unknown group name"],
  ["\\2(a)", "invalid group reference"],
  ["\\q", "bad escape"],
  ["a\\", "bad escape"],
  ["\\UFFFFFFFF", "bad escape"],
  ["(".repeat(200) + ")".repeat(200), "nested too deep"],
  ["a".repeat(6000), "longer than 5000"],
])("%j is refused: %s", (pattern, words) => {
  expect(search(pattern, "")).toContain(words);
});

describe("who runs it", () => {
  test.each([
    ["(?i).*(1080p|2160p|4k).*", "v8"],
    ["S\\d{2}E\\d{2}", "v8"],
    ["(?i)\\.(rar|zip|7z)$", "v8"],
    ["\\d+\\.\\d+", "v8"],
    ["foo.*bar", "v8"],
    ["^foo.*bar.*baz$", "v8"],
    ["foo.*bar.*baz", "re2"],
    ["(a+)+$", "re2"],
    ["(a|a)*b", "re2"],
    ["(?i)(x+x+)+y", "re2"],
    ["a?".repeat(30) + "a".repeat(30), "re2"],
    ["(\\w+\\s?){1,3}!", "re2"],
    ["a(?=b)", "budget"],
    ["(?<!a)b", "budget"],
    ["(a)\\1", "budget"],
  ])("%j: %s", (pattern, runner) => {
    expect(engine(pattern)).toBe(runner);
  });

  test.each(["(a+)+$", "(a|a)*b", "(?i)(x+x+)+y", "(.*a){20}", "(a?){50}a{50}", ".*.*.*x", "(?i)(a.*)*$"])(
    "%j over hostile names takes bounded time",
    { timeout: 30_000 },
    (pattern) => {
      const compiled = compilePattern(pattern);
      if (!("test" in compiled)) throw new Error("it should be linear");
      const names = Array.from({ length: 50 }, (_, at) => `${"a".repeat(60)}${"x".repeat(40)}${at}!`);
      const startedAt = performance.now();
      for (const name of names) compiled.test(name);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    },
  );

  test("a quadratic pattern does not meet a long text in V8", { timeout: 30_000 }, () => {
    const startedAt = performance.now();
    expect(search("a.*b", "a".repeat(200_000))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe("patterns with a budget", () => {
  function slow(pattern: string) {
    const compiled = compilePattern(pattern);
    if (!("slow" in compiled)) throw new Error("it should need a budget");
    return compiled.slow;
  }

  test("look-around and back-references work as in Python", async () => {
    const matches = new SlowMatches(5000);
    const pattern = slow("(?P<word>\\w+) (?P=word)(?!x)");
    for (const text of ["the the", "the thex", "a b"]) matches.want(pattern, text);
    expect(matches.outcome(pattern, "the the")).toBeUndefined();
    await matches.find();
    expect(["the the", "a b"].map((text) => matches.outcome(pattern, text))).toEqual(["match", "no match"]);
  });

  test(
    "a name that would take for ever costs its share, and the others are still answered",
    { timeout: 30_000 },
    async () => {
      const matches = new SlowMatches(2000);
      const pattern = slow("^(a+)+(?=$)");
      const hostile = `${"a".repeat(40)}!`;
      for (const text of [hostile, "aaa", "b"]) matches.want(pattern, text);
      const startedAt = performance.now();
      await matches.find();
      expect([hostile, "aaa", "b"].map((text) => matches.outcome(pattern, text))).toEqual([
        "out of time",
        "match",
        "no match",
      ]);
      expect(performance.now() - startedAt).toBeLessThan(15_000);
    },
  );
});
