import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import process from "node:process";

/**
 * For tests, with `node --import`: a disk quota, which few test machines can set up. While the file QUOTA_EXCEEDED is
 * there, no write to any file succeeds, with the error that the kernel gives.
 */
const marker = process.env["QUOTA_EXCEEDED"] ?? "";
{
  await using file = await open("/dev/null");
  const prototype: { write: (...args: unknown[]) => Promise<unknown> } = Object.getPrototypeOf(file);
  const { write } = prototype;
  prototype.write = async function limited(...args) {
    if (existsSync(marker))
      throw Object.assign(new Error("EDQUOT: disk quota exceeded, write"), {
        code: "EDQUOT",
        syscall: "write",
      });
    return await write.apply(this, args);
  };
}
