import { freePort, tempDir, waitFor } from "@qbit-sidecars/testing";
import {
  type BakeTarget,
  type ContainerEngine,
  emulatedNode,
  type ImageContents,
  type ImageLayer,
  isBakeMissing,
  isEngineMissing,
  startEngine,
} from "@qbit-sidecars/testing/containers";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  appEnvironment,
  appNames,
  buildAppImage,
  builtApps,
  planImages,
  repository,
  runAppImage,
} from "./app-images.ts";

const runProgram = promisify(execFile);
const isMissing = (await isEngineMissing()) || (await isBakeMissing(repository));
let engine: ContainerEngine;
let plan: Record<string, BakeTarget>;

beforeAll(async () => {
  if (isMissing) return;
  engine = await startEngine();
  plan = await planImages("1.2.3");
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
});

describe.skipIf(isMissing).each(builtApps)("the image of %s", (app) => {
  let image: string;
  let contents: ImageContents;

  beforeAll(async () => {
    ({ image } = await buildAppImage(engine, plan[app]));
    contents = await engine.contents(image);
  });
  afterAll(async () => {
    await contents[Symbol.asyncDispose]();
  });

  test("runs read-only, without any right, in little memory; is healthy, and ends with 0 on SIGTERM", async () => {
    const health = `127.0.0.1:${await freePort()}`;
    await using container = await runAppImage(engine, plan[app], { image, health });
    const isUp = async () => (await fetch(`http://${health}/livez`)).status === 200;
    await waitFor(isUp, { what: `${app} to be alive`, timeoutMs: 30_000 }).catch(async (cause: unknown) => {
      throw new Error(await container.output(), { cause });
    });
    const [kind, ...healthcheck] = contents.config.Healthcheck?.Test ?? [];
    expect(kind).toBe("CMD");
    expect(await container.exec(healthcheck)).toEqual({ code: 0, output: "" });
    expect((await container.exec(["/bin/sh", "-c", "true"])).code).not.toBe(0);
    const doctor = await container.exec(["node", "main.js", "doctor", "--json"]);
    expect([0, 1, 3]).toContain(doctor.code);
    // What a start warns of comes on stderr, which an engine puts in between.
    const answer = doctor.output.replaceAll(/^\{"level".*\n/gmu, "");
    expect(JSON.parse(answer)).toMatchObject({ name: app === "rules-server" ? "qbt-rules" : app });
    expect(await container.stop()).toBe(0);
  });

  test("adds what was built in one small layer, written by nobody, without secrets", async () => {
    const [state, own, ...more] = await ownLayers(contents);
    expect(more).toEqual([]);
    expect(state?.sizeBytes).toBeLessThan(10_000);
    expect(await own?.compressedBytes()).toBeLessThan(1_000_000);
    const files = own?.files ?? [];
    expect(files.map(({ path }) => path).toSorted()).toEqual(await builtFiles(app));
    expect(files.filter(({ owner, mode }) => owner !== "0/0" || mode.lastIndexOf("w") > 2)).toEqual([]);
    const texts = await Promise.all(files.map(async (file) => `${file.path}\n${await file.text()}`));
    expect(texts.filter((text) => secrets.test(text)).map((text) => text.split("\n")[0])).toEqual([]);
  });

  test("can write in a new volume for its state", async () => {
    const state = plan[app]?.args["STATE"] ?? "";
    const [layer] = await ownLayers(contents);
    expect(layer?.files.at(-1)).toMatchObject({
      path: state.slice(1),
      owner: "65532/65532",
      mode: expect.stringMatching(/^drwx/u),
    });
    const write = ["-e", `require("node:fs").writeFileSync("${state}/it", "")`];
    const run = [
      "run",
      "--rm",
      "--network=none",
      "--read-only",
      "--cap-drop=ALL",
      `--volume=${state}`,
      "--entrypoint=/nodejs/bin/node",
    ];
    await expect(engine.command([...run, image, ...write])).resolves.toBe("");
  });

  test("says what it is, who runs in it, and where it comes from", () => {
    const { User, Entrypoint, WorkingDir, Labels } = contents.config;
    expect({ User, WorkingDir }).toEqual({ User: "65532:65532", WorkingDir: "/app" });
    expect(Entrypoint.at(-1)).toBe("/app/main.js");
    expect(Labels).toMatchObject({
      "org.opencontainers.image.title": app,
      "org.opencontainers.image.version": "1.2.3",
      "org.opencontainers.image.licenses": "MIT",
      "org.opencontainers.image.source": expect.stringContaining("github.com/qbit-sidecars"),
      "org.opencontainers.image.revision": expect.any(String),
    });
  });

  test("is the same image, by its digest, when it is built again", async () => {
    // In OCI's format, in which images are released; docker's holds a random id.
    const { id } = await buildAppImage(engine, plan[app], { format: "oci" });
    expect((await buildAppImage(engine, plan[app], { format: "oci" })).id).toBe(id);
  });
});

test.each(builtApps)("the notices of %s name every package in its bundle, with a licence", async (app) => {
  await using dir = await tempDir();
  const bundle = ["-c", "../../rolldown.config.ts", "--dir", dir.path, "--sourcemap"];
  await runProgram("rolldown", bundle, { cwd: join(repository, "apps", app) });
  const maps = (await readdir(dir.path)).filter((name) => name.endsWith(".js.map"));
  const sources = await Promise.all(
    maps.map(async (name) => {
      const map: { sources: string[] } = JSON.parse(await readFile(join(dir.path, name), "utf8"));
      return map.sources;
    }),
  );
  const inBundle = sources
    .flat()
    .map((source) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/u.exec(source)?.[1]);
  const packages = new Set(inBundle.filter((name) => name !== undefined));
  expect(packages.size).toBeGreaterThan(3);
  const notices = await readFile(join(repository, "apps", app, "dist/THIRD-PARTY-NOTICES.txt"), "utf8");
  for (const name of packages) expect(notices).toMatch(new RegExp(`^${name} \\d\\S* \\(\\S.*\\)$`, "mu"));
});

test.skipIf(isMissing)(
  "a command of an app can be run with `docker exec` where there is no shell",
  async () => {
    const { image } = await buildAppImage(engine, plan["rules-server"]);
    const health = `127.0.0.1:${await freePort()}`;
    await using container = await runAppImage(engine, plan["rules-server"], { image, health });
    const statistics = async () => {
      const { code, output } = await container.exec(["qbt-rules", "--stats"]);
      return code === 0 && output;
    };
    expect(await waitFor(statistics, { what: "qbt-rules --stats", timeoutMs: 30_000 })).toMatch(/pending/iu);
  },
);

// Emulators and systems of other processors are 400 MB to download: with `npm test -- --long`.
const others = process.env.QBIT_SIDECARS_LONG === "1" && !isMissing ? (["arm64", "armv7"] as const) : [];

describe.each(others)("on %s, emulated,", (architecture) => {
  test("every bundle starts", { timeout: 600_000 }, async () => {
    const [command, ...args] = await emulatedNode(architecture);
    for (const app of builtApps) {
      const bundle = join(repository, "apps", app, "dist/main.js");
      const { stdout } = await runProgram(command, [...args, bundle, "--version"]);
      expect(stdout).toMatch(/^[a-z-]+ \d+\.\d+\.\d+\n$/u);
    }
  });

  test("port-sync and rules-worker are alive, and end with 0 on SIGTERM", { timeout: 300_000 }, async () => {
    const [command, ...args] = await emulatedNode(architecture);
    for (const app of ["port-sync", "rules-worker"].filter((name) => builtApps.includes(name))) {
      const health = `127.0.0.1:${await freePort()}`;
      const bundle = join(repository, "apps", app, "dist/main.js");
      const child = spawn(command, [...args, bundle], { env: appEnvironment(app, health), stdio: "ignore" });
      const ended = once(child, "exit");
      const isAlive = async () => (await fetch(`http://${health}/livez`)).status === 200;
      await waitFor(isAlive, { what: `${app} to be alive`, timeoutMs: 120_000 });
      child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
    }
  });
});

test.each(others.slice(0, 1))(
  "the image for %s is built here as well: nothing is run to build one",
  async (architecture) => {
    const { image } = await buildAppImage(engine, plan["port-sync"], { architecture: "arm64" });
    await using contents = await engine.contents(image);
    expect(contents.architecture).toBe(architecture);
  },
);

describe("docker-bake.hcl", () => {
  test.skipIf(isMissing)(
    "builds the seven, each for amd64 and arm64, with the tags of the registry",
    async () => {
      expect(Object.keys(plan).toSorted()).toEqual(appNames.toSorted());
      for (const [app, { tags, platforms, labels, args }] of Object.entries(plan)) {
        expect({ tags, platforms }).toEqual({
          tags: [`ghcr.io/qbit-sidecars/${app}:1.2.3`],
          platforms: ["linux/amd64", "linux/arm64"],
        });
        expect(labels).toMatchObject({ "org.opencontainers.image.version": "1.2.3" });
        expect(args["APP"]).toBe(app);
      }
    },
  );

  test("the base is pinned by digest", async () => {
    expect(await readFile(join(repository, "Dockerfile"), "utf8")).toMatch(
      /^ARG BASE=gcr\.io\/distroless\/nodejs26-debian13:nonroot@sha256:[0-9a-f]{64}$/mu,
    );
  });
});

/** Those on top of the base. Of a stage that changes nothing buildah makes a layer all the same: an empty one. */
async function ownLayers({ layers }: ImageContents): Promise<ImageLayer[]> {
  const onTop = layers.slice(await engine.layersOf(await engine.baseImage()));
  return onTop.filter(({ files }) => files.length > 0);
}

/** A key's first line, a token of GitHub, npm or PIA's length in an assignment, or the path of the machine that built it. */
const secrets = new RegExp(
  [
    "-----BEGIN [A-Z ]*PRIVATE KEY-----\\s*[A-Za-z0-9+/]{16}",
    "gh[pousr]_\\w{36}",
    "npm_\\w{36}",
    repository,
  ].join("|"),
  "u",
);

/** What the image must hold: `dist` of the app under `app/`, and the folder itself. */
async function builtFiles(app: string): Promise<string[]> {
  const files = await readdir(join(repository, "apps", app, "dist"), { recursive: true });
  return ["app", ...files.map((file) => `app/${file}`)].toSorted();
}
