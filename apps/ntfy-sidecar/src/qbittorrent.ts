import { chooseAuth, QbitClient } from "@qbit-sidecars/qbit-client";
import type { Service } from "@qbit-sidecars/service";
import { readFile } from "node:fs/promises";
import type { Config } from "./config.ts";

/** The client that the settings describe. @throws when the CA file cannot be read */
export async function openQbittorrent(config: Config, { clock, log }: Service): Promise<QbitClient> {
  return new QbitClient({
    url: config.qbitUrl,
    auth: chooseAuth({
      apiKey: config.qbitApiKey?.reveal(),
      username: config.qbitUser,
      password: config.qbitPass?.reveal(),
    }),
    timeoutMs: config.qbitTimeout,
    ca: config.qbitCaCertFile === undefined ? undefined : await readCa(config.qbitCaCertFile),
    insecureSkipVerify: config.qbitInsecureSkipVerify,
    clock,
    onEvent: ({ type, ...event }) => log.debug(event, `qBittorrent: ${type}`),
  });
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Error("reading QBIT_CA_CERT_FILE", { cause });
  }
}
