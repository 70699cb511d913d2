import { typed } from "./dom.ts";

const name = "qbt-rules-key";

/** The key that this browser has, for this tab or for good. */
export function keptKey(): string | undefined {
  return sessionStorage.getItem(name) ?? localStorage.getItem(name) ?? undefined;
}

export function forgetKey(): void {
  sessionStorage.removeItem(name);
  localStorage.removeItem(name);
}

/** Asks the person; resolves to what was typed. */
export async function askForKey(why: string): Promise<string> {
  const dialog = document.querySelector<HTMLDialogElement>("#login");
  const form = dialog?.querySelector("form");
  const alert = dialog?.querySelector("[role=alert]");
  if (!dialog || !form || !alert) throw new Error("the page has no login");
  alert.textContent = why;
  form.reset();
  dialog.showModal();
  const { promise, resolve } = Promise.withResolvers<string>();
  const submit = (event: Event): void => {
    event.preventDefault();
    const key = typed(form, "key");
    (typed(form, "keep") === "" ? sessionStorage : localStorage).setItem(name, key);
    resolve(key);
  };
  form.addEventListener("submit", submit);
  dialog.addEventListener("cancel", stay);
  const key = await promise;
  form.removeEventListener("submit", submit);
  dialog.removeEventListener("cancel", stay);
  dialog.close();
  return key;
}

/** There is nothing to see without a key. */
const stay = (event: Event): void => event.preventDefault();
