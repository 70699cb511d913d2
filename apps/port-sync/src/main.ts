import { healthcheck } from "@qbit-sidecars/service/healthcheck";
import process from "node:process";

// Answered before the rest is loaded: a probe every few seconds should not cost a whole program.
if (process.argv[2] === "healthcheck") {
  void healthcheck({ argv: process.argv, env: process.env, defaultAddr: ":9101" }).then((code) => {
    process.exitCode = code;
  });
} else {
  void import("./program.ts").then(({ program }) => program(process));
}
