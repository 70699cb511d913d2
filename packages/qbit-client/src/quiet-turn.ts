import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Resolves once a turn of the event loop brought nothing from outside: whoever wanted something of this process has
 * been heard. Under a flood, when that took `mostMs`.
 *
 * One turn is not enough for it, since libuv accepts one connection in a turn: of a hundred clients that come at once
 * the last is heard in the hundredth. Costs 2 µs where nobody wants anything.
 */
export async function quietTurn(mostMs: number): Promise<void> {
  const until = performance.now() + mostMs;
  let heard: number;
  do {
    heard = eventsHeard();
    await nextTurn();
  } while (eventsHeard() !== heard && performance.now() < until);
}

/** Counted by libuv for each socket, pipe and thread that had something. */
function eventsHeard(): number {
  return performance.nodeTiming.uvMetricsInfo.events;
}
