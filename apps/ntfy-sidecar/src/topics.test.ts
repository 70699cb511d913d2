import { describe, expect, test } from "vitest";
import { parseRoutes, routesProblem, topicAddress, topicProblem } from "./topics.ts";

describe("NTFY_TOPIC", () => {
  test.each([
    ["downloads", "https://ntfy.sh", { server: "https://ntfy.sh", topic: "downloads" }],
    [
      "https://ntfy.example.org/downloads",
      "https://ntfy.sh",
      { server: "https://ntfy.example.org", topic: "downloads" },
    ],
    ["http://nas/ntfy/downloads/", "https://ntfy.sh", { server: "http://nas/ntfy", topic: "downloads" }],
  ])("%s on %s", (text, server, address) => {
    expect(topicProblem(text)).toBeUndefined();
    expect(topicAddress(text, server)).toEqual(address);
  });

  test.each([
    ["a b"],
    ["https://ntfy.sh"],
    ["https://ntfy.sh/"],
    ["https://user:pw@ntfy.sh/x"],
    ["https://ntfy.sh/x?auth=1"],
    ["docs"],
    ["upABCDEFGHIJKL"],
    ["x".repeat(65)],
  ])("%s cannot be published to", (text) => {
    expect(topicProblem(text)).toEqual(expect.any(String));
  });
});

test("routes send a category or a tag to a topic of its own", () => {
  expect(parseRoutes("tv=shows, tag:kids=family")).toEqual([
    { by: "category", value: "tv", topic: "shows" },
    { by: "tag", value: "kids", topic: "family" },
  ]);
  expect(routesProblem("tv=shows,x")).toBe("an entry has no =");
  expect(routesProblem("tv=a b")).toContain("not the name of a topic");
  expect(routesProblem(undefined)).toBeUndefined();
});
