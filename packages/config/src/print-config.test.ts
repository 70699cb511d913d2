import { expect, test } from "vitest";
import { programOf } from "./program-under-test.ts";
import { qbitSettings } from "./qbit-settings.ts";
import { setting } from "./setting.ts";

const app = programOf({
  ...qbitSettings({ url: { env: ["QBIT_ADDR"], default: "http://localhost:8080" } }),
  data: setting.path({ required: true, about: "Folder." }),
  savePath: setting.path({ defaultText: "same as --data", about: "Folder." }),
  healthAddr: setting.address({ default: ":9101", about: "Where." }),
  space: setting.size({ unit: "GB", default: 0, about: "Space." }),
  hook: setting.url({ env: ["HOOK"], about: "Where." }),
  tags: setting.list({ env: ["TAGS"], about: "Tags." }),
  tag: setting.text({ env: ["TAG"], emptyIs: "value", about: "Tag." }),
});

test("--print-config shows each value and where it came from, without secrets", async () => {
  const { code, stdout, stderr } = await app.exit({
    argv: ["--print-config", "--data", "/downloads", "--config-file", "config.yml"],
    env: {
      QBIT_URL: "http://qbit:8080/",
      HOOK: "https://me:hunter2@nas/",
      QBIT_PASS_FILE: "/run/pass",
      TAGS: "a,b",
      TAG: "",
    },
    files: {
      "/run/pass": "hunter2\n",
      "config.yml": "qbittorrent:\n  timeout: 5000ms\n  api_key: hunter2\n",
    },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe(`# app 1.2.3; config file: config.yml
# A flag wins over VARIABLE_FILE, that over VARIABLE, that over the config file, that over the default.
# Of several variables for one setting (A > B), the first that is set wins. Secrets are shown as ***.
qbitUrl                 http://qbit:8080  QBIT_URL  (QBIT_ADDR > QBIT_URL)
qbitUser                (none)            default
qbitPass                ***               QBIT_PASS_FILE (/run/pass)
qbitApiKey              ***               config.yml: qbittorrent.api_key, line 3
qbitCaCertFile          (none)            default
qbitInsecureSkipVerify  false             default
qbitTimeout             5s                config.yml: qbittorrent.timeout, line 2
data                    /downloads        flag --data
savePath                (same as --data)  default
healthAddr              :9101             default
space                   0B                default
hook                    https://***@nas   HOOK
tags                    a,b               TAGS
tag                     ""                TAG
`);
});

test("--print-config works where settings are wrong, and tells the faults too", async () => {
  const { code, stdout, stderr } = await app.exit({ argv: ["--print-config", "--space", "much"] });
  expect(code).toBe(2);
  expect(stdout).toMatch(/^space\s+\(wrong\)\s+flag --space$/m);
  expect(stderr).toContain("2 things are wrong");
});

test("--print-config shows a text of several lines on one", async () => {
  const { stdout } = await app.exit({ argv: ["--print-config", "--data=x", "--tag", "a\nb"] });
  expect(stdout).toMatch(/^tag\s+"a\\nb"\s+flag --tag$/m);
});
