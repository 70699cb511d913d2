import { tempDir, waitFor } from "@qbit-sidecars/testing";
import { memoryLog } from "./worker-under-test.ts";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NoRulesError, RulesFile } from "./rules-file.ts";

const rule = (name: string) =>
  `rules: [{ name: ${name}, conditions: [{ field: info.ratio, operator: '>', value: 1 }], actions: [{ type: stop }] }]`;
const wrong =
  "rules:\n  - name: x\n    conditions: [{ field: info.nmae, operator: '==', value: 1 }]\n    actions: [{ type: stop }]\n";

async function fileOf(text?: string) {
  const dir = await tempDir();
  const path = join(dir.path, "rules.yml");
  if (text !== undefined) await writeFile(path, text);
  const rules = new RulesFile({ path, log: (await memoryLog()).log });
  return { path, rules, [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose]() };
}

const names = async (rules: RulesFile) => (await rules.current()).ruleset.rules.map(({ name }) => name);

describe("the rules file", () => {
  test("a changed file is in force at the next run, without any event", async () => {
    await using at = await fileOf(rule("one"));
    await expect(names(at.rules)).resolves.toEqual(["one"]);
    const before = (await at.rules.current()).version;
    await writeFile(at.path, rule("other"));
    await expect(names(at.rules)).resolves.toEqual(["other"]);
    expect((await at.rules.current()).version).not.toBe(before);
  });

  test("a wrong change leaves the rules before it in force and says where it is wrong", async () => {
    await using at = await fileOf(rule("good"));
    await at.rules.look();
    await writeFile(at.path, wrong);
    await expect(names(at.rules)).resolves.toEqual(["good"]);
    expect(at.rules.state).toMatchObject({ status: "stale", problems: [{ line: 3, rule: "x" }] });
    await rm(at.path);
    await expect(names(at.rules)).resolves.toEqual(["good"]);
    await writeFile(at.path, rule("healed"));
    await expect(names(at.rules)).resolves.toEqual(["healed"]);
    expect(at.rules.state.status).toBe("ok");
  });

  test.each([
    ["missing", undefined, "the file does not exist"],
    ["wrong", wrong, "info.nmae"],
    ["empty", "", ""],
  ])("a %s file from the start is no set of rules, with the reason", async (_, text, reason) => {
    await using at = await fileOf(text);
    await expect(at.rules.current()).rejects.toThrow(NoRulesError);
    await expect(at.rules.current()).rejects.toThrow(reason);
    expect(at.rules.state.status).toBe("none");
  });

  test("what is wrong is told of once, and again when it is something else", async () => {
    await using dir = await tempDir();
    const path = join(dir.path, "rules.yml");
    const { log, lines } = await memoryLog();
    const rules = new RulesFile({ path, log });
    const write = async (text: string) => {
      await writeFile(path, text);
      await rules.look({ force: true });
      await rules.look({ force: true });
      return lines.splice(0).map(({ level, msg }) => `${level} ${msg}`);
    };
    expect(await write(rule("good"))).toEqual([`info rules read from ${path}`]);
    const told = await write(wrong);
    expect(told).toEqual([
      expect.stringMatching(/^error .*info\.nmae/),
      "warn the rules before it stay in force",
    ]);
    expect(await write(wrong.replace("nmae", "nam"))).toEqual([
      expect.stringMatching(/^error .*info\.nam"/),
      "warn the rules before it stay in force",
    ]);
    const old = rule("old").replace("conditions:", "trigger: added, conditions:");
    expect(await write(old)).toEqual([
      `info rules read from ${path}`,
      expect.stringMatching(/^warn .*trigger/),
    ]);
  });

  test("a file that is replaced as editors and ConfigMaps do is noticed by itself", async () => {
    await using at = await fileOf(rule("one"));
    await at.rules.look();
    await using _watch = at.rules.watch();
    let changes = 0;
    at.rules.onChange(() => {
      changes += 1;
    });
    await writeFile(`${at.path}.new`, rule("two"));
    await rename(`${at.path}.new`, at.path);
    await waitFor(() => changes > 0, { what: "the change to be noticed" });
    expect(at.rules.state.inForce?.ruleset.rules[0]?.name).toBe("two");
  });
});
