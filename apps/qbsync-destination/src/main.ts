import { mainProgram } from "@qbit-sidecars/service/main";
import process from "node:process";

void mainProgram(process, {
  name: "qbsync-destination",
  healthAddr: ":8080",
  addrEnv: ["QBSYNC_DESTINATION_HEALTH_ADDR", "HTTP_PORT", "HEALTH_PORT"],
  load: () => import("./program.ts"),
});
