import { Secret } from "@qbit-sidecars/config";
import { expect, test } from "vitest";
import { type DoctorCheck, ok, problem, unknown } from "./check.ts";
import { runDoctor } from "./doctor.ts";

const well: DoctorCheck = { name: "disk", look: () => ok("it turns") };
const ill: DoctorCheck = { name: "password", look: () => problem("hunter2 was refused", "change hunter2") };
const odd: DoctorCheck = { name: "clock", look: () => unknown("it does not tell", "look at it") };

async function tell(checks: DoctorCheck[], { asJson = false } = {}) {
  let text = "";
  const code = await runDoctor({
    name: "app",
    version: "1.2.3",
    checks,
    config: { pass: new Secret("hunter2"), short: new Secret("a"), none: undefined },
    asJson,
    stdout: { write: (more) => (text += more) },
    signal: new AbortController().signal,
  });
  return { code, text };
}

test("tells a line for each check, what to do, and a sum", async () => {
  expect((await tell([well, ill, odd])).text).toBe(
    [
      "app 1.2.3: 3 checks",
      "",
      "ok       disk      it turns",
      "PROBLEM  password  *** was refused",
      "                   → change ***",
      "unknown  clock     it does not tell",
      "                   → look at it",
      "",
      "1 ok, 1 problem, 1 could not be checked",
      "",
    ].join("\n"),
  );
});

test.each([
  { checks: [well], code: 0, verdict: "ok" },
  { checks: [well, odd], code: 3, verdict: "unknown" },
  { checks: [odd, ill], code: 1, verdict: "problem" },
])("$verdict is exit code $code, in text and in JSON", async ({ checks, code, verdict }) => {
  expect((await tell(checks)).code).toBe(code);
  const told = await tell(checks, { asJson: true });
  expect(told.code).toBe(code);
  expect(JSON.parse(told.text)).toMatchObject({ name: "app", version: "1.2.3", verdict });
});

test("no secret of the settings is told, whoever quotes it", async () => {
  for (const asJson of [false, true]) expect((await tell([ill], { asJson })).text).not.toContain("hunter2");
});
