import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { MetadataValue } from "@grpc/grpc-js";
import type { Rejection } from "./gate.ts";

/** Compares what a call brings with the tokens that are accepted, in a time that tells nothing about them. */
export class BearerTokens {
  readonly #accepted: () => Promise<readonly string[]>;
  readonly #key = randomBytes(32);

  /** @param accepted asked at each call; more than one while they are being changed on both sides */
  constructor(accepted: () => Promise<readonly string[]>) {
    this.#accepted = accepted;
  }

  /** @param values of the header "authorization" */
  async refusalOf(peer: string, values: readonly MetadataValue[]): Promise<Rejection | undefined> {
    const given = values.map(tokenOf).find((token) => token !== undefined);
    if (given === undefined) return { reason: "no_token", peer, detail: noToken };
    const digest = this.#digest(given);
    // Digests have one length, and every token is compared: nothing depends on how much of one was right.
    let isAccepted = false;
    for (const token of await this.#accepted())
      isAccepted = timingSafeEqual(digest, this.#digest(token)) || isAccepted;
    return isAccepted ? undefined : { reason: "wrong_token", peer, detail: wrongToken };
  }

  #digest(token: string): Buffer {
    return createHmac("sha256", this.#key).update(token).digest();
  }
}

function tokenOf(value: MetadataValue): string | undefined {
  return typeof value === "string" ? /^Bearer (?<token>\S+)$/i.exec(value)?.groups?.["token"] : undefined;
}

const noToken =
  "the destination asks for a token: give the source QBSYNC_SOURCE_TOKEN, or QBSYNC_SOURCE_TOKEN_FILE";

const wrongToken =
  "that token is none of the destination's: QBSYNC_SOURCE_TOKEN must be one of those in QBSYNC_DESTINATION_TOKEN";
