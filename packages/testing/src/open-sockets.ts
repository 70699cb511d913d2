import { readdir, readFile, readlink } from "node:fs/promises";

export type OpenSocket = { protocol: "tcp" | "tcp6" | "udp" | "udp6"; address: string; port: number };

const protocols = ["tcp", "tcp6", "udp", "udp6"] as const;

/** Whether only this machine can reach the socket. */
export function isLoopback({ address }: OpenSocket): boolean {
  return address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");
}

/**
 * The internet sockets a process of the same user has open, listening or not, with their local addresses; Linux only
 * (proc_net(5), as `ss` reads it).
 */
export async function openSockets(pid: number): Promise<OpenSocket[]> {
  const inodes = await socketInodes(pid);
  const tables = await Promise.all(protocols.map((protocol) => readTable(protocol)));
  return tables
    .flat()
    .filter(({ inode }) => inodes.has(inode))
    .map(({ socket }) => socket);
}

async function socketInodes(pid: number): Promise<Set<string>> {
  const dir = `/proc/${pid}/fd`;
  // A file may be closed between being listed and being looked at.
  const targets = await Promise.all(
    (await readdir(dir)).map((fd) => readlink(`${dir}/${fd}`).catch(() => "")),
  );
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}

async function readTable(protocol: OpenSocket["protocol"]): Promise<{ inode: string; socket: OpenSocket }[]> {
  const lines = (await readFile(`/proc/net/${protocol}`, "utf8").catch(() => "")).trim().split("\n").slice(1);
  return lines.map((line) => {
    const columns = line.trim().split(/\s+/);
    const [hexAddress = "", hexPort = ""] = (columns[1] ?? "").split(":");
    const socket = { protocol, address: readAddress(hexAddress), port: Number.parseInt(hexPort, 16) };
    return { inode: columns[9] ?? "", socket };
  });
}

/** Words of 32 bits, each with its bytes in the order of a little-endian machine. */
function readAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = Buffer.concat(words.map((word) => Buffer.from(word, "hex").swap32()));
  if (bytes.length === 4) return bytes.join(".");
  const isMapped = bytes.subarray(0, 12).equals(Buffer.from("00000000000000000000ffff", "hex"));
  if (isMapped) return `::ffff:${bytes.subarray(12).join(".")}`;
  const groups = bytes.toString("hex").match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
