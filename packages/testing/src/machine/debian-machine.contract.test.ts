import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { DebianMachine, isMachineMissing } from "./debian-machine.ts";

const missing = { openrc: await isMachineMissing("openrc"), systemd: await isMachineMissing("systemd") };

describe.each(["openrc", "systemd"] as const)("a machine with %s", (init) => {
  test.skipIf(missing[init])("is a system of its own, which sees nothing of the host", async () => {
    await using machine = await DebianMachine.start({ init });
    expect(await machine.must("cat /proc/1/comm")).toMatch(/^(systemd|openrc-init)$/mu);
    expect(await machine.must("ls /sys/class/net; ls -d /proc/[0-9]* | wc -l")).toMatch(/^lo\n\d{1,2}\n$/u);
    await machine.must("touch /etc/made-in-the-machine");
    await expect(access("/etc/made-in-the-machine")).rejects.toThrow("ENOENT");
    expect(await machine.run("echo 1 >/proc/sys/kernel/panic")).not.toMatchObject({ code: 0 });
  });

  test.skipIf(missing[init])("keeps its files when the plug is pulled, and loses its processes", async () => {
    await using machine = await DebianMachine.start({ init });
    await machine.must("echo kept >/etc/note; sleep 1000 >/dev/null 2>&1 & true");
    await machine.reboot();
    expect(await machine.must("cat /etc/note; pgrep sleep || echo none")).toBe("kept\nnone\n");
  });
});

test.skipIf(missing.systemd)("the script that boots it is clean to shellcheck", async () => {
  const script = fileURLToPath(new URL("boot-machine.sh", import.meta.url));
  await using machine = await DebianMachine.start({ init: "systemd", mounts: { "/src/boot.sh": script } });
  expect(await machine.must("shellcheck /src/boot.sh")).toBe("");
});
