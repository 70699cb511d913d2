import { chartedApps } from "@qbit-sidecars/charts";
import type { Address, DeclaredSetting } from "@qbit-sidecars/config";
import { formatAddress } from "@qbit-sidecars/config";

type Row = { app: string; variables: readonly string[]; address: Address; about: string };

/** Everything that an app listens on unless told otherwise, from its settings, as a Markdown table. */
export function listenersTable(): string {
  const rows = chartedApps.flatMap(({ name, declared }) => rowsOf(name, declared));
  return [
    "| app | address by default | reached by | set by | for |",
    "|---|---|---|---|---|",
    ...rows.map(({ app, variables, address, about }) => {
      const set = variables.map((variable) => `\`${variable}\``).join(", ");
      return `| ${app} | \`${formatAddress(address)}\` | ${reach(address)} | ${set} | ${about} |`;
    }),
  ].join("\n");
}

function rowsOf(app: string, declared: readonly DeclaredSetting[]): Row[] {
  const addresses = declared.flatMap(({ hidden, env, about, default: fallback }) => {
    const address = fallback?.value;
    return hidden || !isAddress(address) ? [] : [{ app, variables: env.slice(0, 1), address, about }];
  });
  return [...hostAndPort(app, declared), ...addresses];
}

/** rules-server has two settings for one address. */
function hostAndPort(app: string, declared: readonly DeclaredSetting[]): Row[] {
  const find = (name: string) => declared.find((setting) => setting.name === name);
  const [host, port] = [find("serverHost"), find("serverPort")];
  if (host === undefined || port === undefined) return [];
  return [
    {
      app,
      variables: [...host.env.slice(0, 1), ...port.env.slice(0, 1)],
      address: { host: String(host.default?.value), port: Number(port.default?.value) },
      about: port.about,
    },
  ];
}

function isAddress(value: unknown): value is Address {
  return typeof value === "object" && value !== null && "host" in value && "port" in value;
}

function reach({ host }: Address): string {
  if (host === undefined || host === "0.0.0.0" || host === "::") return "every interface";
  return host.startsWith("127.") || host === "::1" || host === "localhost" ? "this machine or pod" : host;
}
