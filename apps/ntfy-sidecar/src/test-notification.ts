import type { Service } from "@qbit-sidecars/service";
import type { Config } from "./config.ts";
import { NtfyError } from "./ntfy.ts";
import { openNtfy, priorityOf, topicOf } from "./ntfy-settings.ts";

/** `ntfy-sidecar test-notification`: sends one and says what came of it. 0 when ntfy took it. */
export async function testNotification(config: Config, { log, signal }: Service): Promise<number> {
  const ntfy = openNtfy(config);
  const { topic } = topicOf(config);
  try {
    await ntfy.send(
      {
        kind: "complete",
        topic,
        sequence: `qbit-${config.instance === "" ? "" : `${config.instance}-`}test`,
        title: "ntfy-sidecar works",
        message: "This is how a completed download will sound.",
        tags: ["white_check_mark"],
        priority: priorityOf(config.priorityComplete),
      },
      signal,
    );
  } catch (error) {
    if (!(error instanceof NtfyError)) throw error;
    log.error(`the notification did not arrive: ${error.message}`);
    return 1;
  }
  log.info("ntfy took the notification");
  if (ntfy.knowsSequences === false)
    log.warn(
      "this ntfy server is older than 2.16 and cannot update in place: progress is told once, at half",
    );
  return 0;
}
