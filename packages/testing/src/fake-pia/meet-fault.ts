import type { ServerResponse } from "node:http";
import type { Fault } from "../fake-qbittorrent/faults.ts";

/** Lets what was planned go wrong. @returns whether something was: the request is dealt with then */
export function meetFault(fault: Fault | undefined, response: ServerResponse): boolean {
  if (fault === undefined) return false;
  if (fault.kind === "answer") response.writeHead(fault.status, fault.headers).end(fault.body ?? "");
  else if (fault.kind !== "hang") response.socket?.destroy();
  return true;
}
