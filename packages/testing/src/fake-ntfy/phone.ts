import type { NtfyMessage } from "./messages.ts";

/** One notification as it stands on the phone's screen. */
export type Card = { sequence: string; title: string; message: string; priority: number; tags: string[] };

export type PhoneScreen = {
  cards: Card[];
  /** Each time the phone made a sound: the card that did. */
  sounds: Card[];
  /** Each time a new notification appeared. */
  appeared: number;
};

/**
 * What a phone shows and sounds after these messages, one by one as they come. ntfy's Android app replaces a card by
 * its sequence and sets setOnlyAlertOnce on all of them (NotificationService.kt): an update of a card that is showing
 * is silent whatever its priority. Sound comes with priority 3 and above.
 *
 * @param reader "ios" knows no sequences: every message is one more notification
 */
export function showOnPhone(
  messages: readonly NtfyMessage[],
  reader: "android" | "ios" = "android",
): PhoneScreen {
  const cards = new Map<string, Card>();
  const screen: PhoneScreen = { cards: [], sounds: [], appeared: 0 };
  for (const message of messages) {
    const sequence = message.sequence_id ?? message.id;
    if (message.event !== "message") {
      if (reader === "android") cards.delete(sequence);
      continue;
    }
    const key = reader === "android" ? sequence : message.id;
    const card = {
      sequence,
      title: message.title ?? "",
      message: message.message ?? "",
      priority: message.priority ?? 3,
      tags: message.tags ?? [],
    };
    if (!cards.has(key)) {
      screen.appeared += 1;
      if (card.priority >= 3) screen.sounds.push(card);
    }
    cards.set(key, card);
  }
  screen.cards = [...cards.values()];
  return screen;
}
