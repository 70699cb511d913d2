import { declareSettings, readCommandLine } from "@qbit-sidecars/config";
import { expect, test } from "vitest";
import { stateDirSetting, tellChangeSettings } from "./service-settings.ts";

const settings = declareSettings({ ...tellChangeSettings(), ...stateDirSetting("/var/lib/app") });
const read = (env: Record<string, string>) =>
  readCommandLine({ name: "app", version: "1", about: "", settings }, { argv: [], env });

test("who is told of a change, and where state is kept", async () => {
  const env = { ON_CHANGE_COMMAND: "notify {{PORT}}", WEBHOOK_URL: "https://hooks.example/s3cret" };
  const told = await read(env);
  expect(told).toMatchObject({ config: { onChangeCommand: "notify {{PORT}}", stateDir: "/var/lib/app" } });
  expect(JSON.stringify(told)).not.toContain("s3cret");
});

test.each([
  ["WEBHOOK_URL", "hooks.example/s3cret", "a URL that begins with http:// or https://"],
  ["ON_CHANGE_COMMAND", " ", "a program and its arguments"],
])("%s=%j is refused with what would be right, and without the secret", async (name, value, means) => {
  const told = await read({ [name]: value });
  expect(told).toMatchObject({ kind: "exit", code: 2, stderr: expect.stringContaining(means) });
  expect(JSON.stringify(told)).not.toContain("s3cret");
});
