import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  findChromium,
  isChromiumMissing,
  isMissing,
  makeTorrent,
  startQbittorrent,
  waitFor,
} from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServerUnderTest, startServerUnderTest, testKey } from "./server-under-test.ts";

const rules = `
rules:
  - name: Films
    context: [added]
    conditions: [{ field: info.name, operator: contains, value: film }]
    actions: [{ type: add_tag, params: { tag: hd } }]
  - name: Huge
    context: [added]
    conditions: [{ field: info.size, operator: ">", value: 1 TB }]
    actions: [{ type: add_tag, params: { tag: huge } }]
`;

/** Whoever names a torrent so must not be able to do anything with this page. */
const hostileName = "film <img src=x onerror=document.title=1>";

const isLacking = (await isMissing("qBittorrent 5.3.0")) || (await isChromiumMissing());

describe.skipIf(isLacking)("the page, in Chromium", () => {
  const closers = new AsyncDisposableStack();
  let browser: Browser;
  let server: ServerUnderTest;
  let client: QbitClient;
  let film: string;

  beforeAll(async () => {
    const program = closers.use(await findChromium());
    browser = await chromium.launch({ executablePath: program.executablePath, args: [...program.args] });
    closers.defer(async () => await browser.close());
    const qbittorrent = closers.use(await startQbittorrent({ version: "5.3.0" }));
    client = closers.use(new QbitClient({ url: qbittorrent.url }));
    film = await add(hostileName);
    await add("other");
    server = closers.use(await startServerUnderTest({ qbittorrent: qbittorrent.url, rules }));
  }, 180_000);

  afterAll(async () => await closers.disposeAsync());

  async function add(name: string): Promise<string> {
    const made = makeTorrent({
      version: "v1",
      name,
      files: [{ path: "a.bin", size: 20_000 }],
      seed: name.length,
    });
    await client.torrents.add({ files: [made.torrent], stopped: true });
    const isThere = async () => (await client.torrents.info({ hashes: [made.torrentId] })).length === 1;
    await waitFor(isThere, { what: `${name} to be added`, timeoutMs: 20_000 });
    return made.torrentId;
  }

  const tags = async (): Promise<string | undefined> =>
    (await client.torrents.info({ hashes: [film] }))[0]?.tags;

  /**
   * A page with the key entered; on leaving it, whatever it complained of fails the test, but for what Chromium itself
   * says of a refused key and of the cut network.
   */
  async function open(path = "", options: BrowserContextOptions = {}) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    const requested: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !/401|ERR_INTERNET_DISCONNECTED/.test(message.text()))
        complaints.push(message.text());
    });
    page.on("request", (request) => requested.push(request.url()));
    await page.goto(`${server.url}/${path}`);
    await enterKey(page, testKey);
    return {
      page,
      requested,
      async [Symbol.asyncDispose]() {
        await context.close();
        expect(complaints).toEqual([]);
      },
    };
  }

  async function enterKey(page: Page, key: string): Promise<void> {
    await page.getByLabel("Key", { exact: true }).fill(key);
    await page.keyboard.press("Enter");
  }

  test("asks for the key once, keeps it out of every address, and forgets it when told", async () => {
    await using opened = await open("#/rules");
    const { page, requested } = opened;
    await page.getByRole("cell", { name: "Films" }).waitFor();
    await page.reload();
    await page.getByRole("cell", { name: "Films" }).waitFor();
    expect(await page.getByRole("dialog").isVisible()).toBe(false);
    expect(requested.join("\n")).not.toContain(testKey);
    expect(requested.filter((url) => !url.startsWith(server.url))).toEqual([]);
    await page.getByRole("button", { name: "Forget key" }).click();
    await page.getByRole("dialog").waitFor();
    await page.reload();
    await enterKey(page, "wrong");
    await page.getByRole("alert").getByText("does not know this key").waitFor();
    await enterKey(page, testKey);
    await page.getByRole("cell", { name: "Films" }).waitFor();
  });

  test("shows a job that somebody else asks for, without being told to look", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.getByText("Newest first").waitFor();
    const { body } = await server.post(`/api/execute?context=nightly&dry_run=true`);
    const row = page.getByRole("row").filter({ has: page.locator(`#job-${body.job_id}`) });
    await row.getByText("completed").waitFor();
    expect(await row.textContent()).toContain("nightly, all torrents (dry run)");
    // A person knows a torrent by its name.
    const { job_id: id } = await server.done(`context=nightly&hash=${film}`);
    const named = page.getByRole("row").filter({ has: page.locator(`#job-${id}`) });
    await named.getByText(`nightly, ${hostileName}`).waitFor();
  });

  test("plans a run, shows what would change and why, does it when told, and counts the rule's hits", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.getByLabel("Context").fill("added");
    await page.getByRole("button", { name: "Run the rules" }).click();
    const change = page.getByRole("row").filter({ hasText: "add_tag" });
    await change.waitFor();
    const told = await change.textContent();
    expect(told).toContain(hostileName);
    expect(told).toContain("+hd");
    expect(told).toContain("planned");
    expect(told).toContain("info.name");
    expect(await tags()).toBe("");
    page.on("dialog", (dialog) => void dialog.accept());
    await page.getByRole("button", { name: "Do it" }).click();
    await page.getByRole("row").filter({ hasText: "done" }).waitFor();
    await waitFor(async () => (await tags()) === "hd", { what: "the tag", timeoutMs: 20_000 });
    await page.getByRole("link", { name: "Rules" }).click();
    const rule = page.getByRole("row").filter({ hasText: "Films" });
    await rule.waitFor();
    expect(await rule.locator("[data-label=Hits]").textContent()).toBe("1");
  });

  test("cancels a job that waits", async () => {
    await using opened = await open();
    const { body } = await server.post(`/api/execute?context=later&delay=600`);
    await opened.page.locator(`#cancel-${body.job_id}`).click();
    const row = opened.page.getByRole("row").filter({ has: opened.page.locator(`#job-${body.job_id}`) });
    await row.getByText("cancelled").waitFor();
    expect((await server.get(`/api/jobs/${body.job_id}`)).body.status).toBe("cancelled");
  });

  test("tells of a picked torrent what every rule and condition found, and changes nothing", async () => {
    await using opened = await open("#/try");
    const { page } = opened;
    await page.getByLabel("Torrent", { exact: true }).fill("FILM");
    await page.getByLabel("Context").selectOption("added");
    const pick = page.getByRole("button", { name: "film" });
    await pick.click();
    const huge = page.getByRole("group").filter({ hasText: "Huge" });
    await huge.locator("summary").click();
    const condition = huge.getByRole("listitem").filter({ hasText: "info.size" }).last();
    await condition.waitFor();
    expect(await condition.textContent()).toMatch(/no.*info\.size.*is 20000/s);
    const before = await tags();
    expect(await page.getByLabel("Result").textContent()).toContain("Films");
    expect(await tags()).toBe(before);
    await page.getByLabel("Torrent", { exact: true }).fill("nothing is called so");
    await page.getByText("No torrent is called so").waitFor();
  });

  test("shows a broken rules file at its line, and that the rules before it are in force", async () => {
    await using opened = await open("#/rules");
    const { page } = opened;
    await page.getByRole("cell", { name: "Films" }).waitFor();
    await writeFile(server.rulesFile, rules.replace("info.size", "info.sise"));
    try {
      await page.getByRole("button", { name: "Read the file again" }).click();
      const problem = page.getByRole("listitem").filter({ hasText: "info.sise" });
      await problem.waitFor();
      expect(await problem.locator("mark").textContent()).toContain("field: info.sise");
      await page.getByText("still in force").waitFor();
      await page.getByRole("cell", { name: "Huge" }).waitFor();
    } finally {
      await writeFile(server.rulesFile, rules);
    }
    await page.getByRole("button", { name: "Read the file again" }).click();
    await page.getByText("These rules are in force").waitFor();
  });

  test("treats the name of a torrent as text, and lets nothing run that is not its own", async () => {
    await using opened = await open("#/try");
    await opened.page.getByRole("button", { name: hostileName }).waitFor();
    expect(await opened.page.title()).toBe("Try – qbt-rules");
    const { headers } = await server.get("/");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
  });

  test("is worked with by keyboard alone: skip link, pages, a table's link", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.getByText("Newest first").waitFor();
    await page.reload();
    await page.getByText("Newest first").waitFor();
    const focused = async () => await page.evaluate<string>("document.activeElement.textContent.trim()");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to content");
    for (const name of ["Jobs", "Rules"]) {
      await page.keyboard.press("Tab");
      expect(await focused()).toBe(name);
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Rules" }).waitFor();
    expect(await page.getByRole("link", { name: "Rules" }).getAttribute("aria-current")).toBe("page");
  });

  test.for(["light", "dark"] as const)("fits a phone, %s", async (colorScheme) => {
    await using opened = await open("", { viewport: { width: 360, height: 740 }, colorScheme });
    const { page } = opened;
    await server.done("context=added&dry_run=true");
    for (const name of ["Jobs", "Rules", "Try"]) {
      await page.getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { level: 1 }).waitFor();
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
    }
    const background = await page.evaluate<string>(
      "getComputedStyle(document.documentElement).backgroundColor",
    );
    const [red = 0] = background.match(/\d+/g)?.map(Number) ?? [];
    expect(red > 128).toBe(colorScheme === "light");
  });

  test("says that the server is gone, and goes on by itself when it is back", async () => {
    await using opened = await open("#/health");
    const { page } = opened;
    await page.getByRole("heading", { name: "Health" }).getByText("healthy").waitFor();
    await page.context().setOffline(true);
    await page.evaluate("location.hash = '#/jobs'");
    await page.getByText(/does not answer|is lost/).waitFor();
    await page.context().setOffline(false);
    await page.evaluate("location.hash = '#/rules'");
    await page.getByRole("cell", { name: "Films" }).waitFor();
    await expect.poll(async () => await page.getByRole("status").textContent(), { timeout: 20_000 }).toBe("");
  });
});
