/** What one look at a source of forwarded ports told. */
export type PortReading =
  | { kind: "port"; port: number; source: PortSource; mark?: string }
  | { kind: "none"; why: string; cleared: boolean };

/** Where the port was read: gluetun's port file or its control server. */
export type PortSource = "file" | "control-server";

/** A port file is a few lines; whatever is longer is not gluetun's. */
export const portFileMaxBytes = 1024;

const excerptChars = 20;

/**
 * Reads the text of gluetun's port file: decimal ports, one a line, no newline at the end
 * (gluetun internal/portforward/service/fs.go). Blank lines, CRLF and spaces are forgiven, nothing else is.
 *
 * @param text the file's content
 * @param index which of several ports to take, counted from 1
 * @returns the port (1 to 65535), or why there is none. `cleared` tells "the VPN forwards no port" (an empty file, `0`)
 *   from "this is not a port file" (junk): only the first may ever park qBittorrent.
 */
export function readPort(
  text: string,
  index: number,
): Omit<PortReading & { kind: "port" }, "source"> | NoPort {
  const lines = text
    .split(/\r\n|\r|\n/u)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (lines.length === 0) return { kind: "none", why: "the port file is empty", cleared: true };
  const line = lines[index - 1];
  if (line === undefined) {
    const held = lines.length === 1 ? "one port" : `${lines.length} ports`;
    return { kind: "none", why: `the port file holds ${held} and PORT_INDEX is ${index}`, cleared: false };
  }
  return toPort(line, "the port file");
}

/** A reading without a port. */
export type NoPort = PortReading & { kind: "none" };

/**
 * Turns one decimal word into a port. `0` is gluetun's "none": qBittorrent would take it as "any random port",
 * so it must never be passed on.
 */
export function toPort(word: string, where: string): { kind: "port"; port: number } | NoPort {
  if (!/^\d{1,10}$/u.test(word)) {
    return { kind: "none", why: `${where} says ${excerpt(word)}, which is not a port`, cleared: false };
  }
  const port = Number(word);
  if (port === 0) return { kind: "none", why: `${where} says 0, gluetun's word for no port`, cleared: true };
  if (port > 65535) return { kind: "none", why: `${where} says ${port}; ports end at 65535`, cleared: false };
  return { kind: "port", port };
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > excerptChars ? `${text.slice(0, excerptChars)}…` : text);
}
