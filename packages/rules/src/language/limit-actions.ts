import type { ShareLimits, Torrent } from "@qbit-sidecars/qbit-client";
import type { Params } from "../compile/params.ts";
import type { Action, Outcome } from "./action.ts";

/** Speed and share limits. */
export function limitActions(): Action[] {
  return [
    speedLimit("set_upload_limit", { field: "up_limit", kind: "uploadLimit", what: "upload" }),
    speedLimit("set_download_limit", { field: "dl_limit", kind: "downloadLimit", what: "download" }),
    {
      name: "set_share_limits",
      about: "limits how long it seeds; what is not given stays as it is",
      params: [
        { name: "ratio", kind: "ratio", about: "ratio, `global` or `unlimited`" },
        {
          name: "seeding_time",
          kind: "minutes",
          about: "duration (in minutes if a number), `global` or `unlimited`",
        },
        { name: "inactive_seeding_time", kind: "minutes", about: "the same, of time without upload; 4.6+" },
      ],
      since: "2.0.1",
      example: { ratio: 2, seeding_time: "14 days" },
      plan: shareLimits,
    },
  ];
}

type SpeedLimit = { field: "up_limit" | "dl_limit"; kind: "uploadLimit" | "downloadLimit"; what: string };

function speedLimit(name: string, { field, kind, what }: SpeedLimit): Action {
  return {
    name,
    about: `limits its ${what} speed`,
    params: [
      {
        name: "limit",
        kind: "rate",
        about: "bytes/s, or a size such as `500 KB`; 0 or -1: no limit",
        default: -1,
      },
    ],
    example: { limit: "500 KB" },
    plan: (params, { info }) => {
      // 0 and -1 both mean no limit, and versions differ in which of them they show.
      const limit = Math.max(0, params.number("limit"));
      if (Math.max(0, info[field]) === limit) return { skip: `its ${what} limit is ${limit}` };
      return {
        operation: { kind, bytesPerSecond: limit },
        before: info[field],
        after: limit,
        change: { [field]: limit },
      };
    },
  };
}

type Limit = number | "global" | "unlimited";

function shareLimits(params: Params, { info }: { info: Torrent }): Outcome {
  const now = {
    ratio: limitOf(info.ratio_limit),
    seedingTimeMinutes: limitOf(info.seeding_time_limit),
    inactiveSeedingTimeMinutes: limitOf(info["inactive_seeding_time_limit"]),
  };
  const wanted = {
    ratio: params.limit("ratio") ?? now.ratio,
    seedingTimeMinutes: params.limit("seeding_time") ?? now.seedingTimeMinutes,
    inactiveSeedingTimeMinutes: params.limit("inactive_seeding_time") ?? now.inactiveSeedingTimeMinutes,
  };
  if (JSON.stringify(wanted) === JSON.stringify(now)) return { skip: "its share limits are these" };
  const limits: ShareLimits = wanted;
  return {
    operation: { kind: "shareLimits", limits },
    before: now,
    after: wanted,
    change: {
      ratio_limit: numberOf(wanted.ratio),
      seeding_time_limit: numberOf(wanted.seedingTimeMinutes),
      inactive_seeding_time_limit: numberOf(wanted.inactiveSeedingTimeMinutes),
    },
  };
}

function limitOf(value: unknown): Limit {
  if (typeof value !== "number" || value === -2) return "global";
  return value === -1 ? "unlimited" : value;
}

function numberOf(limit: Limit): number {
  if (limit === "global") return -2;
  return limit === "unlimited" ? -1 : limit;
}
