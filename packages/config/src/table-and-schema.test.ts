import { describe, expect, test } from "vitest";
import { declareSettings } from "./declare-settings.ts";
import { settingsSchema } from "./schema.ts";
import { setting } from "./setting.ts";
import { settingsTable } from "./table.ts";

const about = "X.";

test("settingsTable is a Markdown table", () => {
  const settings = declareSettings({
    url: setting.url({
      env: ["QB_URL", "QBIT_URL"],
      key: ["qbittorrent.host", "qbittorrent.url"],
      default: "http://x",
      about: "Address.",
    }),
    pass: setting.secret({ env: ["QBIT_PASS"], key: "qbittorrent.password", about: "Password." }),
    data: setting.path({ required: true, about: "Folder." }),
    savePath: setting.path({ key: false, defaultText: "same as `--data`", about: "Folder." }),
    lost: setting.choice({ values: ["keep", "park"], default: "keep", about: "keep | park." }),
    sleep: setting.duration({ unit: "min", default: "5m", about: "Pause." }),
    trap: setting.text({ hidden: true, about }),
  });
  expect(settingsTable(settings)).toBe(`| Setting | Flag | Variables | File key | Default | Meaning |
| --- | --- | --- | --- | --- | --- |
| url | \`--url\` | \`QB_URL\`, \`QBIT_URL\` | \`qbittorrent.host\`, \`qbittorrent.url\` | \`http://x\` | Address. |
| pass |  | \`QBIT_PASS\` | \`qbittorrent.password\` |  | Password. |
| data | \`--data\` |  | \`data\` | required | Folder. |
| savePath | \`--save-path\` |  |  | same as \`--data\` | Folder. |
| lost | \`--lost\` |  | \`lost\` | \`keep\` | keep \\| park. |
| sleep | \`--sleep\` |  | \`sleep\` | \`5m\` | Pause (a bare number is in minutes). |`);
});

describe("settingsSchema", () => {
  test("nests the keys, allows no others and requires none", () => {
    const settings = declareSettings({
      host: setting.text({ key: "server.host", default: "0.0.0.0", about: "Host." }),
      port: setting.port({ key: "server.port", default: 5000, about: "Port." }),
      apiKey: setting.secret({ key: "server.api_key", about: "Left out." }),
      once: setting.toggle({ key: false, default: false, about: "Left out." }),
      trap: setting.text({ hidden: true, about: "Left out." }),
      dryRun: setting.toggle({ default: false, about: "Change nothing." }),
      data: setting.path({ required: true, about: "Folder." }),
    });
    expect(settingsSchema(settings)).toEqual({
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      additionalProperties: false,
      properties: {
        server: {
          type: "object",
          additionalProperties: false,
          properties: {
            host: { type: "string", default: "0.0.0.0", description: "Host." },
            port: { type: "integer", minimum: 1, maximum: 65_535, default: 5000, description: "Port." },
          },
        },
        dry_run: { type: "boolean", default: false, description: "Change nothing." },
        data: { type: "string", description: "Folder." },
      },
    });
  });

  /** The schema of one setting, without its description. */
  function schemaOf(x: Parameters<typeof declareSettings>[0][string]) {
    const { properties } = settingsSchema(declareSettings({ x })) as {
      properties: { x: Record<string, unknown> };
    };
    const { description: _, ...schema } = properties.x;
    return schema;
  }

  test("describes values as they are written in the file", () => {
    expect(schemaOf(setting.choice({ values: ["keep", "park"], about }))).toEqual({
      type: "string",
      enum: ["keep", "park"],
    });
    expect(schemaOf(setting.list({ default: ["a"], about }))).toEqual({
      type: "array",
      items: { type: "string" },
      default: ["a"],
    });
    expect(schemaOf(setting.text({ pattern: { regex: /^a+$/, means: "an a" }, about }))).toEqual({
      type: "string",
      pattern: "^a+$",
    });
    expect(schemaOf(setting.url({ about }))).toMatchObject({
      type: "string",
      pattern: String.raw`^(http|https):\/\/.`,
    });
    expect(schemaOf(setting.logLevel({ about }))["enum"]).toEqual(
      expect.arrayContaining(["info", "INFO", "WARNING"]),
    );
  });

  test.each([
    {
      kind: "duration",
      x: setting.duration({ unit: "s", default: 90_000, about }),
      fallback: "90s",
      good: ["10s", "1h30m", "7 days"],
      bad: ["soon", "-1s"],
    },
    {
      kind: "size",
      x: setting.size({ unit: "GB", default: "50GB", about }),
      fallback: "50GB",
      good: ["512MiB", "50Gi"],
      bad: ["much"],
    },
    {
      kind: "address",
      x: setting.address({ default: "8080", about }),
      fallback: ":8080",
      good: ["0.0.0.0:80", "[::1]:80"],
      bad: ["a b", "http://x"],
    },
  ])("lets a $kind be a number or a text", ({ x, fallback, good, bad }) => {
    const schema = schemaOf(x);
    expect(schema).toEqual({
      default: fallback,
      anyOf: [expect.objectContaining({ minimum: 0 }), { type: "string", pattern: expect.any(String) }],
    });
    const pattern = new RegExp(
      JSON.parse(/"pattern":(".*?[^\\]")/.exec(JSON.stringify(schema))?.[1] ?? '""'),
    );
    expect(good.filter((text) => !pattern.test(text))).toEqual([]);
    expect(bad.filter((text) => pattern.test(text))).toEqual([]);
  });
});
