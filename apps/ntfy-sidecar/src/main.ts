import { mainProgram } from "@qbit-sidecars/service/main";
import process from "node:process";

void mainProgram(process, { name: "ntfy-sidecar", healthAddr: ":9103", load: () => import("./program.ts") });
