import { mainProgram } from "@qbit-sidecars/service/main";
import process from "node:process";

void mainProgram(process, {
  name: "qbt-rules",
  healthAddr: ":5000",
  addrEnv: ["QBT_RULES_SERVER_PORT"],
  load: () => import("./program.ts"),
});
