/** Characters that take two columns: East Asian wide forms and pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

const unseen = /\p{Mn}|\p{Me}|[\u200b-\u200d]/u;

/** What a torrent calls itself, without what moves a terminal's cursor, colours it or turns the direction of text. */
export function plainName(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Co}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, "");
}

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += unseen.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** A text in so many columns exactly: cut with an ellipsis, or filled up with spaces. */
export function fitted(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text + " ".repeat(columns - widthOf(text));
  let kept = "";
  for (const character of text) {
    if (widthOf(kept + character) > columns - 1) break;
    kept += character;
  }
  return `${kept}…${" ".repeat(Math.max(0, columns - 1 - widthOf(kept)))}`;
}
