/** One line of a topic, in ntfy's own field names and order. */
export type NtfyMessage = {
  id: string;
  /** Names the card that this message is about; left out where it is the id. Servers before 2.16 never send it. */
  sequence_id?: string;
  /** Whole seconds since the epoch. */
  time: number;
  expires?: number;
  event: "message" | "message_clear" | "message_delete";
  topic: string;
  title?: string;
  message?: string;
  /** Left out when unset, which is 3. */
  priority?: number;
  tags?: string[];
  click?: string;
};

/** Reads back a topic from a real server or the fake. */
export async function readTopic(
  url: string,
  topic: string,
  headers: Record<string, string> = {},
): Promise<NtfyMessage[]> {
  const response = await fetch(`${url}/${topic}/json?poll=1`, { headers });
  if (!response.ok) throw new Error(`reading topic ${topic}: status ${response.status}`);
  return (await response.text())
    .split("\n")
    .filter((line) => line !== "")
    .map((line): NtfyMessage => JSON.parse(line));
}
