import { healthcheck } from "@qbit-sidecars/service/healthcheck";
import process from "node:process";

async function main(): Promise<void> {
  // Answered before the rest is loaded: a probe every few seconds should not cost a whole program.
  if (process.argv[2] === "healthcheck") {
    process.exitCode = await healthcheck({ argv: process.argv, env: process.env, defaultAddr: ":9102" });
    return;
  }
  const { program } = await import("./program.ts");
  await program(process);
}

void main();
