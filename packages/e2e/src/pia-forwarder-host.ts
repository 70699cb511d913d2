import { DebianMachine, type Ended, type InitSystem } from "@qbit-sidecars/testing/machine";
import { certificateAuthority, waitFor } from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const app = new URL("../../../apps/pia-forwarder/", import.meta.url);
const patienceMs = 60_000;

/** A Linux host with an init system, a Node in its PATH, and what a person unpacks to install pia-forwarder. */
export class PiaForwarderHost implements AsyncDisposable {
  readonly machine: DebianMachine;
  readonly init: InitSystem;

  private constructor(machine: DebianMachine, init: InitSystem) {
    this.machine = machine;
    this.init = init;
  }

  static async start(init: InitSystem): Promise<PiaForwarderHost> {
    const machine = await DebianMachine.start({
      init,
      mounts: {
        "/src/apps/pia-forwarder/host": fileURLToPath(new URL("host", app)),
        "/src/apps/pia-forwarder/dist/main.js": fileURLToPath(new URL("dist/main.js", app)),
        "/usr/local/bin/node": process.execPath,
        "/repository/packages": fileURLToPath(new URL("../../packages", app)),
        "/repository/node_modules": fileURLToPath(new URL("../../node_modules", app)),
      },
    });
    return new PiaForwarderHost(machine, init);
  }

  installer(args: string): Promise<Ended> {
    return this.machine.run(`sh /src/apps/pia-forwarder/host/install.sh ${args}`);
  }

  /** @throws Error with all it printed when the command fails */
  must(command: string, options?: { input: string }): Promise<string> {
    return this.machine.must(command, options);
  }

  async succeeds(command: string): Promise<boolean> {
    return (await this.machine.run(command)).code === 0;
  }

  write(path: string, content: string): Promise<string> {
    return this.must(`mkdir -p "$(dirname ${path})" && cat >${path}`, { input: content });
  }

  read(path: string): Promise<string> {
    return this.must(`cat ${path}`);
  }

  /** As a person of this host would say it: start, stop, restart, status. */
  service(verb: "start" | "stop" | "restart" | "status", name = "pia-forwarder"): Promise<Ended> {
    return this.machine.run(
      this.init === "systemd" ? `systemctl --no-pager ${verb} ${name}` : `rc-service ${name} ${verb}`,
    );
  }

  async isRunning(name = "pia-forwarder"): Promise<boolean> {
    return (await this.service("status", name)).code === 0;
  }

  /** The pid of pia-forwarder's process, not the one that was there before, once it answers on its health address. */
  healthy(other = ""): Promise<string> {
    const probe = "HEALTH_ADDR=127.0.0.1:9102 node /opt/pia-forwarder/main.js healthcheck";
    const pid = async () => (await this.must(`${probe} && pgrep -u pia-forwarder -f main.js`)).trim();
    const another = async () => {
      const found = await pid();
      return found === other ? "" : found;
    };
    return waitFor(another, { what: "pia-forwarder to be healthy", timeoutMs: patienceMs });
  }

  /** Starts a PIA and a qBittorrent in the machine, and writes the settings and the certificate for them. */
  async meetPia(): Promise<void> {
    const script = "/repository/packages/e2e/src/pia-of-a-machine.ts";
    await this.must(`setsid node ${script} </dev/null >/run/pia.out 2>&1 &`);
    const said = () => this.must("grep -q -- '-END CERTIFICATE' /run/pia.out && cat /run/pia.out");
    const text = await waitFor(said, { what: "a PIA in the machine", timeoutMs: patienceMs });
    const at = text.indexOf("-----BEGIN");
    await this.write("/etc/pia-forwarder/pia-forwarder.env", text.slice(0, at));
    await this.write("/etc/pia-forwarder/ca.rsa.4096.crt", text.slice(at));
  }

  /** The port that is held, as `main.js status` tells it. */
  heldPort(): Promise<number> {
    const status = "HEALTH_ADDR=127.0.0.1:9102 node /opt/pia-forwarder/main.js status";
    const held = async () => {
      const { port }: { port: number } = JSON.parse(await this.must(status));
      return port;
    };
    return waitFor(held, { what: "a port that is held", timeoutMs: patienceMs });
  }

  /** The shell blocks of the host's README that are for this init system, as a person pastes them: one after another. */
  async pasteReadme(): Promise<Ended[]> {
    const text = await readFile(new URL("host/README.md", app), "utf8");
    const blocks = [...text.matchAll(/^```sh ?(\w*)\n(.*?)^```$/gmsu)]
      .filter(([, only]) => only === "" || only === this.init)
      .map(([, , commands = ""]) => commands);
    await this.write("/usr/local/bin/sudo", '#!/bin/sh\nexec "$@"\n');
    await this.must("chmod +x /usr/local/bin/sudo");
    const ended: Ended[] = [];
    const folder = () => (ended.length === 0 ? "/src" : "/src/apps/pia-forwarder/host");
    for (const block of blocks) ended.push(await this.machine.run(`set -e; cd ${folder()}\n${block}`));
    return ended;
  }

  /** NAME=value of a process. */
  async environ(pid: string): Promise<string[]> {
    return (await this.must(`cat /proc/${pid}/environ`)).split("\0");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
  }
}

/** An installation of the service that came before, as its own install.sh leaves it, running. */
export async function installPredecessor(host: PiaForwarderHost): Promise<void> {
  await host.write("/opt/pia-qbittorrent-sync/pia_qbittorrent_sync.py", "# 615 lines of it\n");
  await host.write(oldCertificate, certificateAuthority("Private Internet Access").cert);
  if (host.init === "systemd") {
    await host.write("/etc/systemd/system/pia-qbittorrent-sync.service", predecessor.unit);
    await host.must("systemctl daemon-reload && systemctl enable --now pia-qbittorrent-sync");
  } else {
    await host.write("/etc/init.d/pia-qbittorrent-sync", predecessor.initd);
    await host.write("/etc/conf.d/pia-qbittorrent-sync", predecessor.confd);
    await host.must(
      "chmod +x /etc/init.d/pia-qbittorrent-sync && rc-update add pia-qbittorrent-sync default",
    );
    await host.must("rc-service pia-qbittorrent-sync start");
  }
}

/** What its password is, and how the three kinds of file spell it. */
export const oldPassword = `it's 100% "odd" $HOME`;

const oldCertificate = "/opt/pia-qbittorrent-sync/ca.crt";

const predecessor = {
  unit: `[Unit]
Description=PIA qBittorrent Port Sync

[Service]
ExecStart=/usr/bin/sleep infinity
Environment="PIA_USERNAME=p1234567" 'QBITTORRENT_HOST=http://10.1.2.3:8080' \\
    CHECK_INTERVAL=3600
Environment="PIA_PASSWORD=it's 100%% \\"odd\\" $HOME"
Environment=PIA_GATEWAY=10.0.0.1
#Environment=PIA_HOSTNAME=commented
Environment=PYTHONUNBUFFERED=1 PIA_CA_CERT=${oldCertificate}
Environment="QBITTORRENT_PASSWORD=your_password"

[Install]
WantedBy=multi-user.target
`,
  confd: `# PIA qBittorrent Sync
export PIA_USERNAME="p1234567"
export PIA_PASSWORD="it's 100% \\"odd\\" \\$HOME"
export PIA_GATEWAY=10.0.0.1
# export PIA_HOSTNAME=commented
export QBITTORRENT_HOST='http://10.1.2.3:8080'
export QBITTORRENT_PASSWORD="your_password"
export CHECK_INTERVAL="3600" PIA_CA_CERT=${oldCertificate}
`.replaceAll("\n", "\r\n"),
  initd: `#!/sbin/openrc-run
command=/usr/bin/sleep
command_args=infinity
command_background=yes
pidfile=/run/pia-qbittorrent-sync.pid
`,
};
