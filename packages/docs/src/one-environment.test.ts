import { chartedApps } from "@qbit-sidecars/charts";
import { warnAboutUnknownVariables } from "@qbit-sidecars/config";
import { expect, test } from "vitest";

/** What a pod-wide `envFrom` hands to all of its containers. */
const variablesOfAll = [
  ...new Set(chartedApps.flatMap(({ declared }) => declared.flatMap(({ env }) => env))),
];

test.each(chartedApps)(
  "$name takes no variable of another app for a misspelt one of its own",
  ({ name, declared }) => {
    const told = variablesOfAll
      .flatMap((variable) => [variable, `${variable}_FILE`])
      .flatMap((variable) =>
        warnAboutUnknownVariables({ name, otherVariables: ["CONFIG_FILE"] }, declared, { [variable]: "x" }),
      );
    expect(told).toEqual([]);
  },
);
