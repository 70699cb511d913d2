import { styleText } from "node:util";

/** How far something is. */
export type Bar = { name: string; /** From 0 to 1. */ share: number; text: string };

/** The part of `process.stdout` that is needed. */
export type Output = { write(text: string): unknown; isTTY?: boolean; columns?: number };

const barWidth = 30;
/** Of the longest name that anybody has here. */
const nameWidth = 18;

/**
 * Lines that scroll, and below them bars that are drawn anew in place. Where there is no terminal, in a file or a pipe,
 * bars become a line each time one of them has come a quarter further.
 */
export class Terminal {
  readonly #output: Output;
  readonly #startedAt = performance.now();
  #bars: readonly string[] = [];
  #quarters = "";

  constructor(output: Output = process.stdout) {
    this.#output = output;
  }

  /** A line as it is. */
  print(line = ""): void {
    this.#redraw(this.#bars, `${line}\n`);
  }

  /** What somebody did or said, with the time. */
  tell(who: string, what: string, colour: Parameters<typeof styleText>[0]): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1).padStart(6);
    this.print(`${styleText("dim", `${seconds} s`)}  ${styleText(colour, who.padEnd(nameWidth))}  ${what}`);
  }

  /** Draws these in place of the ones before; none clears them. */
  bars(bars: readonly Bar[]): void {
    if (this.#output.isTTY === true) {
      this.#redraw(bars.map((bar) => this.#fit(drawBar(bar))));
      return;
    }
    const quarters = bars.map(({ share }) => Math.floor(share * 4)).join(" ");
    if (quarters === this.#quarters) return;
    this.#quarters = quarters;
    for (const bar of bars) this.print(drawBar(bar));
  }

  /** Bars are erased, what is new is written where they were, and they are drawn below it. */
  #redraw(bars: readonly string[], above = ""): void {
    const erase = this.#bars.length === 0 ? "" : `\u001B[${this.#bars.length}A\u001B[J`;
    this.#bars = bars;
    this.#output.write(erase + above + bars.map((bar) => `${bar}\n`).join(""));
  }

  /** A line that wraps is two, and could not be erased as one. */
  #fit(line: string): string {
    return line.slice(0, (this.#output.columns ?? 80) - 1);
  }
}

function drawBar({ name, share, text }: Bar): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `${" ".repeat(10)}${name.padEnd(nameWidth)}  ${"█".repeat(full)}${"░".repeat(barWidth - full)} ${percent}  ${text}`;
}
