import { describe, expect, test } from "vitest";
import { gatewayCandidates, Gateways, type Host, isPrivate, tunnelsOf } from "./gateway.ts";
import { PiaCertificateError, PiaUnreachableError } from "./pia-errors.ts";
import { loopbackHost } from "./program.fixture.ts";

const { signal } = new AbortController();

function anInterface(address: string, mac = "00:00:00:00:00:00", internal = false) {
  return { address, netmask: "255.255.255.0", family: "IPv4", mac, internal, cidr: null } as const;
}

describe("where the gateway can be", () => {
  test("a tunnel is an interface without an Ethernet address that is not the loopback", () => {
    const interfaces = {
      lo: [anInterface("127.0.0.1", undefined, true)],
      eth0: [anInterface("172.18.0.3", "02:42:ac:12:00:03")],
      tun0: [anInterface("10.7.112.14")],
      "de-berlin": [anInterface("10.23.4.5")],
    };
    expect(tunnelsOf(interfaces)).toEqual([
      { name: "tun0", address: "10.7.112.14" },
      { name: "de-berlin", address: "10.23.4.5" },
    ]);
  });

  test("what the tunnel's routes name comes first, other interfaces' routes do not count", () => {
    const routes = [
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
      "tun0\t00000000\t0170070A\t0003\t0\t0\t0\t00000080\t0\t0\t0",
      "eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0",
      "tun0\t0070070A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    ].join("\n");
    expect(gatewayCandidates([{ name: "tun0", address: "10.7.112.14" }], routes)).toEqual([
      "10.7.112.1",
      "10.7.128.1",
      "10.7.0.1",
    ]);
  });

  test("an own address is no gateway", () => {
    expect(gatewayCandidates([{ name: "wg0", address: "10.7.0.1" }], "")).toEqual(["10.7.128.1"]);
  });

  test.each([
    ["10.0.0.1", true],
    ["172.31.0.1", true],
    ["172.32.0.1", false],
    ["192.168.1.1", true],
    ["100.64.0.1", true],
    ["127.0.0.1", true],
    ["8.8.8.8", false],
  ])("%s is inside a tunnel or a home: %s", (address, is) => {
    expect(isPrivate(address)).toBe(is);
  });
});

describe("looking for the gateway", () => {
  const tunnel = [anInterface("10.7.112.14")];
  const host: Host = { ...loopbackHost, interfaces: () => ({ tun0: tunnel }), lastResort: "10.0.0.1" };

  /** @param answers by address: undefined answers as PIA */
  function gatewaysOf(answers: Record<string, Error | undefined>, given?: string) {
    const asked: string[] = [];
    const gateways = new Gateways({
      given,
      host,
      ping(gateway) {
        asked.push(gateway);
        const error = gateway in answers ? answers[gateway] : new PiaUnreachableError("nobody");
        return error === undefined ? Promise.resolve() : Promise.reject(error);
      },
    });
    return { gateways, asked };
  }

  test("the likeliest that answers is it, and is asked for no more until it is forgotten", async () => {
    const { gateways, asked } = gatewaysOf({ "10.7.0.1": undefined, "10.7.112.1": undefined });
    expect(await gateways.find(signal)).toBe("10.7.0.1");
    expect(await gateways.find(signal)).toBe("10.7.0.1");
    expect(asked).toHaveLength(3);
    gateways.forget();
    await gateways.find(signal);
    expect(asked).toHaveLength(6);
  });

  test("10.0.0.1 is asked last, and only when nothing in the tunnel answers", async () => {
    const { gateways, asked } = gatewaysOf({ "10.0.0.1": undefined });
    expect(await gateways.find(signal)).toBe("10.0.0.1");
    expect(asked.at(-1)).toBe("10.0.0.1");
    const inside = gatewaysOf({ "10.7.128.1": undefined, "10.0.0.1": undefined });
    await inside.gateways.find(signal);
    expect(inside.asked).not.toContain("10.0.0.1");
  });

  test("the one that was given is not asked", async () => {
    const { gateways, asked } = gatewaysOf({}, "10.1.2.3");
    expect(await gateways.find(signal)).toBe("10.1.2.3");
    expect(asked).toEqual([]);
  });

  test("where nobody answers, the complaint names who was asked; a PIA server of another name is told before that", async () => {
    await expect(gatewaysOf({}).gateways.find(signal)).rejects.toThrow(/10\.7\.128\.1, .*10\.0\.0\.1/u);
    const misnamed = new PiaCertificateError("that is zurich406", { names: ["zurich406"] });
    await expect(gatewaysOf({ "10.7.0.1": misnamed }).gateways.find(signal)).rejects.toBe(misnamed);
  });
});
