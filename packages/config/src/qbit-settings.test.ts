import { describe, expect, expectTypeOf, test } from "vitest";
import { declareSettings, type ConfigOf } from "./declare-settings.ts";
import { programOf } from "./program-under-test.ts";
import { qbitSettings } from "./qbit-settings.ts";

describe("qbitSettings", () => {
  const common = {
    QBIT_URL: "https://qbit",
    QBIT_USER: "admin",
    QBIT_PASS: "hunter2",
    QBIT_API_KEY: "qbt_x",
    QBIT_CA_CERT_FILE: "/ca.pem",
    QBIT_INSECURE_SKIP_VERIFY: "true",
    QBIT_TIMEOUT: "5",
  };

  test.each([
    ["port-sync", qbitSettings({ url: { env: ["QBIT_ADDR"], default: "http://localhost:8080" } })],
    [
      "qbsync-source",
      qbitSettings({ url: { flag: "--qb-url", env: ["QBSYNC_SOURCE_QB_URL"], required: true } }),
    ],
    [
      "rules-server",
      qbitSettings({ url: { env: ["QBT_RULES_QBITTORRENT_HOST"] }, user: { default: "root" } }),
    ],
  ])("the common variables hold in %s", async (_, declaration) => {
    const { config } = await programOf(declaration).run({ env: common });
    expect({
      ...config,
      qbitPass: config.qbitPass?.reveal(),
      qbitApiKey: config.qbitApiKey?.reveal(),
    }).toEqual({
      qbitUrl: "https://qbit",
      qbitUser: "admin",
      qbitPass: "hunter2",
      qbitApiKey: "qbt_x",
      qbitCaCertFile: "/ca.pem",
      qbitInsecureSkipVerify: true,
      qbitTimeout: 5000,
    });
  });

  test("an app's own names come first", async () => {
    const app = programOf(
      qbitSettings({
        url: { flag: "--qb-url", env: ["APP_URL"], key: "qb.url", default: "http://localhost:8080" },
        pass: { flag: "--qb-password", env: ["APP_PASS"] },
      }),
    );
    const { config, sources } = await app.run({
      argv: ["--qb-password", "one"],
      env: { APP_URL: "http://own", QBIT_URL: "http://common", QBIT_PASS: "two" },
    });
    expect(config.qbitUrl).toBe("http://own");
    expect(config.qbitPass?.reveal()).toBe("one");
    expect(sources["qbitUrl"]).toBe("APP_URL");
  });

  test("an own name that is a common one counts once", () => {
    const { declared } = declareSettings(qbitSettings({ user: { env: ["QBIT_USER"] } }));
    expect(declared.find(({ name }) => name === "qbitUser")?.env).toEqual(["QBIT_USER"]);
  });

  test("a URL with a default or required has a type without undefined", () => {
    const withDefault = declareSettings(
      qbitSettings({ url: { default: "http://x" }, user: { default: "admin" } }),
    );
    const required = declareSettings(qbitSettings({ url: { env: ["X"], required: true } }));
    const neither = declareSettings(qbitSettings({ url: { env: ["X"] } }));
    expectTypeOf<ConfigOf<typeof withDefault>["qbitUrl"]>().toEqualTypeOf<string>();
    expectTypeOf<ConfigOf<typeof withDefault>["qbitUser"]>().toEqualTypeOf<string>();
    expectTypeOf<ConfigOf<typeof required>["qbitUrl"]>().toEqualTypeOf<string>();
    expectTypeOf<ConfigOf<typeof required>["qbitUser"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<ConfigOf<typeof neither>["qbitUrl"]>().toEqualTypeOf<string | undefined>();
  });
});

test("a login in the URL is refused, and not shown", async () => {
  const program = programOf({ ...qbitSettings({}) });
  const { stderr } = await program.exit({ env: { QBIT_URL: "http://joe:hunter2@nas:8080" } });
  expect(stderr).toContain("holds a user name, which has a setting of its own");
  expect(stderr).not.toContain("hunter2");
});
