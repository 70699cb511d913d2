import { seededRandom } from "@qbit-sidecars/testing";
import { type AppName, appNames, type LinkName } from "../pod-parts.ts";

export type ServerTarget = "source" | "home" | "ntfy" | "redis";
export type Target = AppName | ServerTarget;

/** Something that happens to the pod, and is over after a while. */
export type Fault = {
  /** Before it begins, counted from the moment all was well again after the one before. */
  afterMs: number;
  lastsMs: number;
} & (
  | { kind: "kill"; target: Target }
  | { kind: "pause"; target: Target }
  | { kind: "cut"; target: LinkName | "pia"; how: "refuse" | "silence" }
  | { kind: "disk full"; target: "home" | "state" }
  | { kind: "clock jump"; target: AppName; byMs: number }
);
export type FaultKind = Fault["kind"];

export const faultKinds: readonly FaultKind[] = ["kill", "pause", "cut", "disk full", "clock jump"];

const targets: Record<FaultKind, readonly string[]> = {
  kill: [...appNames, "source", "home", "ntfy", "redis"],
  pause: [...appNames, "source", "home", "ntfy", "redis"],
  cut: ["source", "home", "ntfy", "redis", "qbsync", "pia"],
  "disk full": ["home", "state"],
  "clock jump": appNames,
};

const minuteMs = 60_000;
/** A step of NTP at boot, daylight saving done wrong, a clock without a battery. */
const jumpsMs = [-1440, -60, -2, 2, 60, 1440].map((minutes) => minutes * minuteMs);

/**
 * The faults of a seed, without end: the same on every machine. Each kind happens once in every five, and no target of
 * a kind comes again before all others have had their turn, so that a short run reaches as much as it can.
 */
export function* planFaults(seed: number): Generator<Fault, never> {
  const random = seededRandom(seed);
  const decks = new Map<string, string[]>();
  const draw = (name: string, cards: readonly string[]): string => {
    const left = decks.get(name) ?? [];
    if (left.length === 0) left.push(...shuffled(cards, random));
    decks.set(name, left);
    return left.pop() ?? "";
  };
  while (true) {
    const kind = draw("kinds", faultKinds) as FaultKind;
    const target = draw(kind, targets[kind]);
    yield {
      kind,
      target,
      afterMs: between(2000, 6000, random),
      lastsMs: between(1500, 8000, random),
      ...(kind === "cut" && { how: random() < 0.5 ? "refuse" : "silence" }),
      ...(kind === "clock jump" && { byMs: jumpsMs[Math.floor(random() * jumpsMs.length)] }),
    } as Fault;
  }
}

/** What a person reads of it. */
export function describeFault(fault: Fault): string {
  const seconds = `${(fault.lastsMs / 1000).toFixed(1)} s`;
  if (fault.kind === "cut") return `cut (${fault.how}) ${fault.target} for ${seconds}`;
  if (fault.kind === "clock jump") {
    return `clock of ${fault.target} ${fault.byMs > 0 ? "+" : ""}${fault.byMs / minuteMs} min for ${seconds}`;
  }
  return `${fault.kind} ${fault.target} for ${seconds}`;
}

function between(least: number, most: number, random: () => number): number {
  return Math.round(least + random() * (most - least));
}

function shuffled(cards: readonly string[], random: () => number): string[] {
  const deck = [...cards];
  for (let last = deck.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [deck[last], deck[other]] = [deck[other] ?? "", deck[last] ?? ""];
  }
  return deck;
}
