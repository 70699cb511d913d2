import { Api, UnauthorizedError } from "./api.ts";
import { healthView } from "./health-view.ts";
import { jobView } from "./job-view.ts";
import { jobsView } from "./jobs-view.ts";
import { askForKey, forgetKey, keptKey } from "./key.ts";
import { rulesView } from "./rules-view.ts";
import { tryView } from "./try-view.ts";
import type { View, ViewParts } from "./view.ts";

/** Changes come in bursts; a page that shows them ten times a second shows nothing. */
const restMs = 250;
const healthEveryMs = 15_000;

function viewAt(hash: string, parts: ViewParts): View {
  const [, page, id] = hash.split("/");
  if (page === "jobs" && id !== undefined) return jobView(parts, id);
  if (page === "rules") return rulesView(parts);
  if (page === "try") return tryView(parts);
  if (page === "health") return healthView(parts);
  return jobsView(parts);
}

/** One person with one key, until the key is refused or forgotten. */
async function session(key: string): Promise<void> {
  const api = new Api(key);
  const main = byId("main");
  const ended = new AbortController();
  const { promise: over, reject: end } = Promise.withResolvers<never>();
  let leaving = new AbortController();
  let view: View | undefined;
  let [isDue, isBusy] = [false, false];
  const tell = (text: string): void => void (byId("notice").textContent = text);
  const failed = (error: unknown): void => {
    if (error instanceof UnauthorizedError) end(error);
    else if (!(error instanceof DOMException)) tell(error instanceof Error ? error.message : String(error));
  };
  const refresh = async (): Promise<void> => {
    isDue = true;
    if (isBusy) return;
    isBusy = true;
    while (isDue && !ended.signal.aborted) {
      isDue = false;
      await view?.refresh().catch(failed);
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
    isBusy = false;
  };
  const show = (): void => {
    leaving.abort();
    leaving = new AbortController();
    tell("");
    const { signal } = leaving;
    // What a page that was left could not do is of no interest any more.
    view = viewAt(location.hash, { api, main, signal, tell: (text) => signal.aborted || tell(text) });
    document.title = `${view.title} – qbt-rules`;
    for (const link of document.querySelectorAll("nav a")) {
      const isHere = (location.hash.length > 2 ? location.hash : "#/jobs").startsWith(
        link.getAttribute("href") ?? "",
      );
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    void view.refresh().catch(failed);
  };
  const onForget = (): void => end(new UnauthorizedError("forgotten"));
  const forget = byId("forget");
  forget.hidden = false;
  forget.addEventListener("click", onForget, { signal: ended.signal });
  const turn = (): void => {
    show();
    main.focus();
  };
  addEventListener("hashchange", turn, { signal: ended.signal });
  const beat = setInterval(() => void showHealth(api), healthEveryMs);
  try {
    await api.get("api/stats");
    show();
    void showHealth(api);
    api
      .listen(
        () => void refresh(),
        (isLive) => tell(isLive ? "" : lost),
        ended.signal,
      )
      .catch(failed);
    await over;
  } finally {
    clearInterval(beat);
    ended.abort();
    leaving.abort();
    forget.hidden = true;
    main.replaceChildren();
  }
}

const lost = "The connection to the server is lost; this page tries again by itself.";

async function showHealth(api: Api): Promise<void> {
  const badge = byId("health");
  const report = await api.health().catch(() => undefined);
  badge.textContent = report?.status ?? "unreachable";
  badge.className = `badge ${report?.status === "healthy" ? "good" : "bad"}`;
  badge.title = [...(report?.errors ?? []), ...(report?.warnings ?? [])].join("\n");
}

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element ${id}`);
  return element;
}

let [key, why] = [keptKey(), ""];
for (;;) {
  key ??= await askForKey(why);
  try {
    await session(key);
  } catch (error) {
    why = error instanceof Error && error.message !== "forgotten" ? error.message : "";
    if (error instanceof UnauthorizedError) forgetKey();
  }
  key = undefined;
}
