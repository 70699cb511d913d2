import { chown, mkdir, open, truncate, unlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes the port file the way gluetun does (internal/portforward/service/fs.go): in place, truncated first, no rename,
 * no newline at the end, then a chown; at a VPN drop truncated to nothing (3.40.1 and later) or removed (before).
 */
export class GluetunStandIn {
  readonly portFile: string;

  constructor(portFile: string) {
    this.portFile = portFile;
  }

  async forward(...ports: number[]): Promise<void> {
    await mkdir(dirname(this.portFile), { recursive: true });
    await using file = await open(this.portFile, "w", 0o644);
    await file.write(ports.toSorted((a, b) => a - b).join("\n"));
    const { uid, gid } = await file.stat();
    await chown(this.portFile, uid, gid);
  }

  /** What gluetun 3.40.1 and later do when the VPN goes down. */
  async clear(): Promise<void> {
    await truncate(this.portFile, 0);
  }

  /** What gluetun up to 3.40.0 did. */
  async remove(): Promise<void> {
    await unlink(this.portFile);
  }

  /** Something that is not gluetun wrote the file. */
  async scribble(text: string): Promise<void> {
    await mkdir(dirname(this.portFile), { recursive: true });
    await writeFile(this.portFile, text);
  }
}
