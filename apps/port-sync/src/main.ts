import { mainProgram } from "@qbit-sidecars/service/main";
import process from "node:process";

void mainProgram(process, { name: "port-sync", healthAddr: ":9101", load: () => import("./program.ts") });
