import type { Declaration, DeclaredSetting, Settings } from "@qbit-sidecars/config";
import { settings as ntfySidecar } from "@qbit-sidecars/ntfy-sidecar/config";
import { settings as piaForwarder } from "@qbit-sidecars/pia-forwarder/config";
import { settings as portSync } from "@qbit-sidecars/port-sync/config";
import { settings as qbsyncDestination } from "@qbit-sidecars/qbsync-destination/config";
import { settings as qbsyncSource } from "@qbit-sidecars/qbsync-source/config";
import { settings as rulesServer } from "@qbit-sidecars/rules-server/config";
import { settings as rulesWorker } from "@qbit-sidecars/rules-worker/config";

/** An app as its chart sees it. */
export type ChartedApp = {
  readonly name: string;
  readonly settings: Settings<Declaration>;
  /** Everything it can be told. */
  readonly declared: readonly DeclaredSetting[];
  /** What `config:` of the values can tell it. */
  readonly configurable: readonly DeclaredSetting[];
  /** What comes from a Secret. */
  readonly secrets: readonly DeclaredSetting[];
};

/** What every chart decides by itself: addresses follow `ports`, folders follow volumes, and a pod runs on. */
const decidedByCharts = ["healthAddr", "stateDir", "once"];

/** In the order in which a person meets them. */
export const chartedApps: readonly ChartedApp[] = [
  charted("port-sync", portSync),
  charted("pia-forwarder", piaForwarder),
  charted("ntfy-sidecar", ntfySidecar, { decided: ["listenAddr"] }),
  charted("rules-server", rulesServer, {
    decided: ["serverHost", "serverPort", "probeAddr"],
    alsoSecret: ["queueRedisUrl"],
  }),
  charted("rules-worker", rulesWorker, { alsoSecret: ["queueRedisUrl"] }),
  charted("qbsync-source", qbsyncSource, { decided: ["data"] }),
  charted("qbsync-destination", qbsyncDestination, { decided: ["data", "listen"] }),
];

type Differences = {
  /** Further settings that the chart decides. */
  readonly decided?: readonly string[];
  /** Settings that may hold a password without being a secret: a Redis URL. */
  readonly alsoSecret?: readonly string[];
};

function charted<D extends Declaration>(
  name: string,
  settings: Settings<D>,
  { decided = [], alsoSecret = [] }: Differences = {},
): ChartedApp {
  const { declared } = settings;
  const isDecided = (setting: DeclaredSetting) => [...decidedByCharts, ...decided].includes(setting.name);
  const hasVariable = declared.filter((setting) => setting.env.length > 0 && !setting.hidden);
  return {
    name,
    // Only what the settings are called is lost.
    settings: settings as unknown as Settings<Declaration>,
    declared,
    configurable: hasVariable.filter(
      (setting) => !setting.kind.secret && setting.keys.length > 0 && !isDecided(setting),
    ),
    secrets: hasVariable.filter((setting) => setting.kind.secret || alsoSecret.includes(setting.name)),
  };
}

/** The variable that a chart puts a setting into: the app's own name for it. */
export function variableOf({ env, name }: DeclaredSetting): string {
  const [first] = env;
  if (first === undefined) throw new Error(`${name} has no variable`);
  return first;
}

/** Where a setting stands below `config:`. */
export function keyPathOf({ keys, name }: DeclaredSetting): readonly string[] {
  const [first] = keys;
  if (first === undefined) throw new Error(`${name} has no key`);
  return first.split(".");
}
