import { appendFileSync } from "node:fs";

/** For `node --expose-gc --import`: on SIGUSR2, what is alive in this process, in bytes, as a line of LIVE_HEAP_FILE. */
process.on("SIGUSR2", () => {
  void lookTwice();
});

async function lookTwice(): Promise<void> {
  // What a first collection finds dead lets go of more, through finalizers.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external } = process.memoryUsage();
  appendFileSync(process.env["LIVE_HEAP_FILE"] ?? "/dev/stdout", `${heapUsed + external}\n`);
}
