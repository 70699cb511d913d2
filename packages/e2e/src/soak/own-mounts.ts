const marker = "QBIT_SIDECARS_SOAK_HAS_OWN_MOUNTS";

/**
 * Makes this process one whose mounts nobody else sees, and that end with it, however it ends: `unshare` of util-linux
 * runs the same command line again in its place. Who is not root becomes it in a user namespace, where may be mounted.
 *
 * @throws Error where there is no `unshare`, so on anything but Linux
 */
export function haveOwnMounts(): void {
  if (process.env[marker] === "1") return;
  const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  if (process.execve === undefined) throw new Error("this Node cannot replace its process (execve)");
  const args = ["unshare", ...asRoot, "--mount", "--propagation", "private", "--", ...again];
  process.execve("/usr/bin/unshare", args, { ...process.env, [marker]: "1", NODE_NO_WARNINGS: "1" });
}
