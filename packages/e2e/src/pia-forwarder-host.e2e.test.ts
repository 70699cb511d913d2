import { waitFor } from "@qbit-sidecars/testing";
import { isMachineMissing } from "@qbit-sidecars/testing/machine";
import { describe, expect, test } from "vitest";
import { installPredecessor, oldPassword, PiaForwarderHost } from "./pia-forwarder-host.ts";

const settings = "/etc/pia-forwarder/pia-forwarder.env";
const tokenFile = "/var/run/pia_token";
const everything =
  "/opt/pia-forwarder /etc/pia-forwarder /var/lib/pia-forwarder /etc/conf.d/pia-forwarder /etc/init.d/pia-forwarder " +
  "/etc/systemd/system/pia-forwarder.service /var/log/pia-forwarder.log";

const missing = { openrc: await isMachineMissing("openrc"), systemd: await isMachineMissing("systemd") };

describe.each(["openrc", "systemd"] as const)("a host with %s", (init) => {
  const isMissing = missing[init];

  test.skipIf(isMissing)(
    "gets pia-forwarder, which outlives crashes and reboots, and loses it again",
    async () => {
      await using host = await PiaForwarderHost.start(init);
      const first = await host.installer("install");
      expect(first).toMatchObject({ code: 0, output: expect.stringContaining(`into ${settings}`) });
      expect(await host.isRunning()).toBe(false);
      expect(await host.must(`stat -c '%a %U' ${settings}`)).toBe("600 root\n");

      await host.must(
        `sed -i "s/^#PIA_USERNAME=.*/PIA_USERNAME='p1'/; s/^#PIA_PASSWORD=.*/PIA_PASSWORD='x'/" ${settings}`,
      );
      expect((await host.service("start")).code).toBe(0);
      const pid = await host.healthy();
      expect(await host.must(`ps -o args= -p ${pid}`)).toBe(
        "/opt/pia-forwarder/node --lite-mode /opt/pia-forwarder/main.js\n",
      );
      expect(await host.environ(pid)).toEqual(
        expect.arrayContaining(["MALLOC_ARENA_MAX=1", "STATE_DIR=/var/lib/pia-forwarder"]),
      );
      expect(await host.must("stat -c '%a %U' /var/lib/pia-forwarder")).toBe("700 pia-forwarder\n");
      expect(await host.isRunning()).toBe(true);

      await host.must(`kill -KILL ${pid}`);
      const second = await host.healthy(pid);
      expect((await host.service("restart")).code).toBe(0);
      const third = await host.healthy(second);

      const again = await host.installer("install");
      expect(again).toMatchObject({ code: 0, output: expect.stringContaining("keeping the settings") });
      await host.healthy(third);

      await host.machine.reboot();
      await host.healthy();

      expect((await host.service("stop")).code).toBe(0);
      expect(await host.isRunning()).toBe(false);
      expect((await host.installer("uninstall")).code).toBe(0);
      expect(await host.succeeds(`test -e /opt/pia-forwarder`)).toBe(false);
      expect(await host.read(settings)).toContain("PIA_USERNAME='p1'");
      expect((await host.installer("uninstall --purge")).code).toBe(0);
      expect(await host.must(`ls -d ${everything} 2>/dev/null; id pia-forwarder 2>&1 || true`)).toMatch(
        /^id: .*no such user/u,
      );
    },
  );

  test.skipIf(isMissing)(
    "holds a port in its confinement, tells it to others, and has it again after a crash",
    async () => {
      await using host = await PiaForwarderHost.start(init);
      await host.meetPia();
      expect(await host.installer("install")).toMatchObject({ code: 0 });
      const port = await host.heldPort();
      await waitFor(() => host.succeeds(`test -e /run/pia-forwarder/${port}`), {
        what: "the command to have been run",
        timeoutMs: 30_000,
      });
      // Written beside qBittorrent's being told, of which the command hears.
      const portFile = () =>
        host.must("cat /run/pia-forwarder/forwarded_port; stat -c ' %a' /run/pia-forwarder/forwarded_port");
      await expect.poll(portFile, { timeout: 30_000 }).toBe(`${port} 644\n`);
      expect(await host.must("stat -c '%a %U' /var/lib/pia-forwarder/port.json")).toBe("600 pia-forwarder\n");
      const pid = await host.healthy();
      await host.must(`kill -KILL ${pid}`);
      await host.healthy(pid);
      expect(await host.heldPort()).toBe(port);
    },
  );

  test.skipIf(isMissing)(
    "hands over from pia-qbittorrent-sync with its settings, and could go back",
    async () => {
      await using host = await PiaForwarderHost.start(init);
      await installPredecessor(host);
      const { code, output } = await host.installer("install");
      expect(output).toContain("pia-qbittorrent-sync is stopped and disabled; its files stay");
      expect(output).toContain("CHECK_INTERVAL was 3600");
      expect(output).toContain("QBITTORRENT_PASSWORD was never filled in");
      expect(output).toContain("everybody on this host can read the password");
      expect(output).not.toContain("odd");
      expect(code).toBe(0);

      const pid = await host.healthy();
      const environ = await host.environ(pid);
      expect(environ).toEqual(
        expect.arrayContaining([
          "PIA_USERNAME=p1234567",
          `PIA_PASSWORD=${oldPassword}`,
          "PIA_GATEWAY=10.0.0.1",
          "PIA_CA_CERT=/etc/pia-forwarder/ca.rsa.4096.crt",
          "QBITTORRENT_HOST=http://10.1.2.3:8080",
          "HEALTH_ADDR=127.0.0.1:9102",
        ]),
      );
      expect(environ.join("\n")).not.toMatch(/PIA_HOSTNAME|CHECK_INTERVAL|PYTHON|QBITTORRENT_PASSWORD/u);

      expect(await host.isRunning("pia-qbittorrent-sync")).toBe(false);
      await host.machine.reboot();
      await host.healthy();
      expect(await host.isRunning("pia-qbittorrent-sync")).toBe(false);

      await host.must("cmp /opt/pia-qbittorrent-sync/ca.crt /etc/pia-forwarder/ca.rsa.4096.crt");
      const removed = await host.installer("uninstall");
      const back = /To return to it: (.*)/u.exec(removed.output)?.[1];
      await host.must(back ?? "false");
      expect(await host.isRunning("pia-qbittorrent-sync")).toBe(true);
      expect(await host.succeeds("test -f /opt/pia-qbittorrent-sync/pia_qbittorrent_sync.py")).toBe(true);
    },
  );

  test.skipIf(isMissing)("upgrades in place, and not to what does not run", async () => {
    await using host = await PiaForwarderHost.start(init);
    expect(await host.installer("upgrade")).toMatchObject({
      code: 1,
      output: expect.stringContaining("no pia-forwarder"),
    });
    await configured(host);
    await host.installer("install");
    const old = await host.healthy();

    await host.write("/tmp/broken.js", "throw new Error('half a download')");
    expect(await host.installer("upgrade --bundle /tmp/broken.js")).toMatchObject({
      code: 1,
      output: expect.stringContaining("/tmp/broken.js does not run"),
    });
    expect(await host.healthy()).toBe(old);

    await host.must(
      "{ cat /src/apps/pia-forwarder/dist/main.js; echo '// the next version'; } >/tmp/next.js",
    );
    expect((await host.installer("upgrade --bundle /tmp/next.js")).code).toBe(0);
    await host.healthy(old);
    expect(await host.succeeds("cmp /tmp/next.js /opt/pia-forwarder/main.js")).toBe(true);

    await host.service("stop");
    expect((await host.installer("upgrade")).output).toContain("not started");
    expect(await host.isRunning()).toBe(false);
  });

  test.skipIf(isMissing)("is told every wrong setting, and what runs there goes on", async () => {
    await using host = await PiaForwarderHost.start(init);
    await installPredecessor(host);
    await host.write(settings, "PIA_USERNAME='p1'\r\nPIA_PASSWORD='x'\r\nCHECK_INTERVAL='often'\r\n");
    const { code, output } = await host.installer("install");
    expect(code).toBe(1);
    expect(output).toContain("CHECK_INTERVAL");
    expect(await host.isRunning("pia-qbittorrent-sync")).toBe(true);

    await host.must(
      `sed -i "s/often/60/; s/$/\\r/" ${settings} && echo "HEALTH_ADDR='127.0.0.1:9102'" >>${settings}`,
    );
    expect((await host.installer("install")).output).toContain("its line ends were CRLF and are LF now");
    const pid = await host.healthy();
    await host.must(`sed -i "s/$/\\r/" ${settings}`);
    await host.service("restart");
    expect(await host.environ(await host.healthy(pid))).toContain("CHECK_INTERVAL=60");
    expect(await host.isRunning("pia-qbittorrent-sync")).toBe(false);
  });

  test.skipIf(isMissing)("lets the service read root's token file, where only root can write", async () => {
    await using host = await PiaForwarderHost.start(init);
    await host.must(`umask 077; echo 0123456789abcdef0123456789abcdef >${tokenFile}`);
    await host.installer("install");
    await host.healthy();
    const readable = (path: string) =>
      host.succeeds(`setpriv --reuid pia-forwarder --regid pia-forwarder --clear-groups cat ${path}`);
    expect(await readable(tokenFile)).toBe(true);

    await host.must(`rm ${tokenFile} && ln -s /etc/shadow ${tokenFile} && chmod 600 /etc/shadow`);
    await host.service("restart");
    await host.healthy();
    expect(await host.must("stat -c '%a %G' /etc/shadow")).toBe("600 root\n");
  });

  test.skipIf(isMissing)("is left as it is by --dry-run, which tells what would be done", async () => {
    await using host = await PiaForwarderHost.start(init);
    await installPredecessor(host);
    const files =
      "find / -xdev -newer /tmp/before -type f ! -path '/tmp/*' ! -path '/proc/*' ! -path '/var/log/*'";
    await host.must("sleep 0.1; touch /tmp/before");
    const { code, output } = await host.installer("--dry-run install");
    expect(output).toContain("would write: /etc/pia-forwarder/pia-forwarder.env");
    expect(output).toContain("would run: useradd");
    expect(output).not.toContain("odd");
    expect(code).toBe(0);
    expect(await host.must(files)).toBe("");
    expect(await host.isRunning("pia-qbittorrent-sync")).toBe(true);
  });

  test.skipIf(isMissing)("takes each command of the README as it is written there", async () => {
    await using host = await PiaForwarderHost.start(init);
    await configured(host);
    const blocks = await host.pasteReadme();
    expect(blocks.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(blocks[1]?.output).toContain("health and metrics on http://127.0.0.1:9102");
    expect(await host.succeeds("test -e /opt/pia-forwarder")).toBe(false);
  });

  test.skipIf(isMissing)("needs no Node of its own: one is unpacked for pia-forwarder alone", async () => {
    await using host = await PiaForwarderHost.start(init);
    await host.must(
      "mkdir -p /tmp/node-v26/bin && cp /usr/local/bin/node /tmp/node-v26/bin/ && tar -cf /tmp/node.tar -C /tmp node-v26",
    );
    await host.must("rm -r /tmp/node-v26; umount /usr/local/bin/node; rm /usr/local/bin/node");
    const without = await host.installer("install");
    expect(without).toMatchObject({ code: 1, output: expect.stringContaining("--node-tarball FILE") });
    await configured(host);
    expect(await host.installer("install --node-tarball /tmp/node.tar")).toMatchObject({ code: 0 });
    await host.must("rm /tmp/node.tar; ln -s /opt/pia-forwarder/node /usr/bin/node");
    const pid = await host.healthy();
    await host.must("rm /usr/bin/node");
    expect(await host.installer("upgrade")).toMatchObject({ code: 0 });
    expect((await host.must("pgrep -u pia-forwarder -f main.js")).trim()).not.toBe(pid);
  });
});

test.skipIf(missing.openrc)("the installer makes do with BusyBox, as on Alpine", async () => {
  await using host = await PiaForwarderHost.start("openrc");
  await configured(host);
  await host.must("mkdir /busybox && busybox --install -s /busybox && rm -f /busybox/start-stop-daemon");
  const installer = "PATH=/busybox:$PATH busybox sh /src/apps/pia-forwarder/host/install.sh";
  await host.must(`${installer} install`);
  const pid = await host.healthy();
  await host.must(`${installer} upgrade`);
  await host.healthy(pid);
  await host.must(`${installer} uninstall --purge`);
  expect(await host.must(`ls -d ${everything} 2>/dev/null || true`)).toBe("");
});

describe("the files of the host installation", () => {
  const isMissing = missing.systemd;

  test.skipIf(isMissing)("are clean to shellcheck", async () => {
    await using host = await PiaForwarderHost.start("systemd");
    expect(
      await host.must(
        "cd /src/apps/pia-forwarder/host && shellcheck --shell=sh install.sh let-read-token pia-forwarder.initd",
      ),
    ).toBe("");
  });

  test.skipIf(isMissing)("hold a unit that systemd finds right and little exposed", async () => {
    await using host = await PiaForwarderHost.start("systemd");
    await configured(host);
    await host.installer("install");
    expect(await host.must("systemd-analyze verify pia-forwarder.service")).toBe("");
    const verdict = await host.must("systemd-analyze security --no-pager pia-forwarder.service");
    const exposure = Number(/Overall exposure level for pia-forwarder.service: ([\d.]+)/u.exec(verdict)?.[1]);
    expect(exposure).toBeLessThan(1.5);
  });

  test.skipIf(isMissing)(
    "confine the service to its state, and keep its memory from becoming code",
    async () => {
      await using host = await PiaForwarderHost.start("systemd");
      await configured(host);
      await host.installer("install");
      const pid = await host.healthy();
      expect(await host.must(`cat /proc/${pid}/status`)).toMatch(/NoNewPrivs:\t1\n(.*\n)*Seccomp:\t2\n/u);
      expect(await host.must(`grep Cap /proc/${pid}/status`)).not.toMatch(/[1-9a-f]$/mu);

      const inside = (command: string) =>
        host.succeeds(
          `nsenter --target ${pid} --mount setpriv --reuid pia-forwarder --clear-groups ${command}`,
        );
      expect(await inside("touch /var/lib/pia-forwarder/x")).toBe(true);
      expect(await inside("touch /opt/pia-forwarder/x")).toBe(false);
      expect(await inside("cat /etc/pia-forwarder/pia-forwarder.env")).toBe(false);
      expect(await inside("ls /root")).toBe(false);

      // Without --lite-mode V8 asks for memory it can write and run, which ends it here.
      await host.write(
        "/etc/systemd/system/pia-forwarder.service.d/with-jit.conf",
        "[Service]\nExecStart=\nExecStart=/opt/pia-forwarder/node -e setInterval(()=>{},1000)\nRestart=no\n",
      );
      await host.must("systemctl daemon-reload; systemctl restart pia-forwarder || true");
      expect(
        await host.succeeds(
          "for i in $(seq 50); do systemctl is-failed pia-forwarder && exit 0; sleep 0.2; done; exit 1",
        ),
      ).toBe(true);
    },
  );
});

async function configured(host: PiaForwarderHost): Promise<void> {
  await host.must(`echo 0123456789abcdef0123456789abcdef >${tokenFile}`);
}
