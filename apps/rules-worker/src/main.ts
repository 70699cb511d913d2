import { mainProgram } from "@qbit-sidecars/service/main";
import process from "node:process";

void mainProgram(process, { name: "rules-worker", healthAddr: ":9105", load: () => import("./program.ts") });
