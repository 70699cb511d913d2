const longestShownText = 2048;
const longestQuote = 80;

/**
 * Takes the credentials out of a text that is about to be printed: `http://user:pass@host` becomes
 * `http://***@host`, also where the text is too broken to be a URL, and `?token=abc` becomes `?token=***`.
 */
export function hideCredentials(text: string): string {
  return hideUserInfo(text).replace(
    /([?&][^=&\s]*(?:auth|key|pass|secret|token)[^=&\s]*=)[^&\s]*/gi,
    "$1***",
  );
}

function hideUserInfo(text: string): string {
  // The last @: a password may hold one, and a path that holds one loses nothing that matters.
  const at = text.lastIndexOf("@");
  if (at === -1 || !text.slice(0, at).includes(":")) return text;
  return `${/^[a-z][a-z\d+.-]*:\/\//i.exec(text)?.[0] ?? ""}***${text.slice(at)}`;
}

/** What a person wrote, in quotes, on one line, shortened, without credentials. */
export function quote(text: string): string {
  if (text.length > longestShownText) return `a text of ${text.length} characters`;
  // Hidden before it is shortened: shortening first could cut off the `@` that marks a password.
  const shown = hideCredentials(text);
  return JSON.stringify(shown.length > longestQuote ? `${shown.slice(0, longestQuote)}…` : shown);
}
