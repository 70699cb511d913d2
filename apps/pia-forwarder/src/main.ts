import { mainProgram } from "@qbit-sidecars/service/main";
import process from "node:process";

void mainProgram(process, { name: "pia-forwarder", healthAddr: ":9102", load: () => import("./program.ts") });
