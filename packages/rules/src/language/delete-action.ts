import type { Action } from "./action.ts";

export function deleteActions(): Action[] {
  return [
    {
      name: "delete_torrent",
      aliases: ["delete"],
      about:
        "removes it from qBittorrent, under the guards of `safety`; its data stays unless you say otherwise",
      params: [
        {
          name: "delete_files",
          kind: "deleteFiles",
          contrary: "keep_files",
          about:
            "`true`: its data, too, unless another torrent uses it; `if_unshared`: only where qBittorrent tells that none does; `always`: whoever uses it",
          default: false,
        },
      ],
      destructive: true,
      example: { delete_files: "if_unshared" },
      plan: (params) => {
        const deleteFiles = params.deleteFiles("delete_files");
        const after = {
          true: "deleted with its data, unless another torrent uses it",
          false: "deleted, data kept",
          if_unshared: "deleted; its data too, if no other torrent uses it",
          always: "deleted with its data, whoever uses it",
        };
        return {
          operation: { kind: "delete", deleteFiles },
          before: "there",
          after: after[`${deleteFiles}`],
        };
      },
    },
  ];
}
