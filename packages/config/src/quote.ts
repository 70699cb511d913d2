const longestHiddenText = 2048;
const longestQuote = 80;

/**
 * Takes the credentials out of a text that is about to be printed: `http://user:pass@host` becomes
 * `http://***@host`, also where the text is too broken to be a URL, and `?token=abc` becomes `?token=***`.
 */
export function hideCredentials(text: string): string {
  return text
    .replace(/^([a-z][a-z\d+.-]*:\/\/)?.*:.*@/is, (_, scheme?: string) => `${scheme ?? ""}***@`)
    .replace(/([?&][^=&\s]*(?:auth|key|pass|secret|token)[^=&\s]*=)[^&\s]*/gi, "$1***");
}

/** What a person wrote, in quotes, on one line, shortened, without credentials. */
export function quote(text: string): string {
  if (text.length > longestHiddenText) return `a text of ${text.length} characters`;
  // Hidden before it is shortened: shortening first could cut off the `@` that marks a password.
  const shown = hideCredentials(text);
  return JSON.stringify(shown.length > longestQuote ? `${shown.slice(0, longestQuote)}…` : shown);
}
