import { expect, test } from "vitest";
import { Terminal } from "./terminal.ts";

/** Begins a command to the terminal. */
const command = "\u001B[";

/** What a screen shows after all that was written: only what this program sends is understood. */
class Screen {
  readonly isTTY: boolean;
  readonly columns = 70;
  lines: string[] = [""];

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    const isErasing = text.startsWith(command);
    const count = isErasing ? Number.parseInt(text.slice(command.length), 10) : 0;
    if (isErasing) this.lines.splice(-1 - count, count);
    const written = isErasing ? text.slice(text.indexOf("J") + 1) : text;
    for (const [index, line] of written.split("\n").entries()) {
      if (index === 0) this.lines[this.lines.length - 1] += line;
      else this.lines.push(line);
    }
  }
}

const half = { name: "home", share: 0.5, text: "8 of 16 pieces" };

test("bars stay below what is said, and are drawn in place", () => {
  const screen = new Screen(true);
  const terminal = new Terminal(screen);
  terminal.print("first");
  terminal.bars([{ ...half, share: 0 }, half]);
  terminal.bars([half, half]);
  terminal.print("second");
  expect(screen.lines.slice(0, 2)).toEqual(["first", "second"]);
  expect(screen.lines.slice(2)).toHaveLength(3);
  expect(screen.lines[2]).toContain(`${"█".repeat(15)}${"░".repeat(15)}  50 %`);
  terminal.bars([]);
  expect(screen.lines).toEqual(["first", "second", ""]);
});

test("a bar is never wider than the terminal: it could not be erased", () => {
  const screen = new Screen(true);
  new Terminal(screen).bars([{ ...half, text: "x".repeat(200) }]);
  expect(screen.lines[0]).toHaveLength(69);
});

test("in a pipe a bar is a line for each quarter, and nothing is erased", () => {
  const screen = new Screen(false);
  const terminal = new Terminal(screen);
  for (let percent = 0; percent <= 100; percent += 1) terminal.bars([{ ...half, share: percent / 100 }]);
  expect(screen.lines.filter((line) => line.includes("home"))).toHaveLength(5);
  expect(screen.lines.join("")).not.toContain(command);
});
