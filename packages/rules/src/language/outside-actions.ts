import { mapTexts } from "../compile/params.ts";
import type { BlocklistRequest, Notification } from "../plan/operation.ts";
import type { Action } from "./action.ts";

/** What happens outside of qBittorrent. */
export function outsideActions(): Action[] {
  return [
    {
      name: "notify",
      about: "sends a message: one for each torrent, one for all of them when there are more than five",
      params: [
        {
          name: "service",
          kind: { choice: ["discord", "slack", "ntfy", "generic"] },
          about: "who receives it",
          default: "generic",
        },
        {
          name: "url",
          kind: "text",
          about: "webhook or topic; without it the one the program is configured with",
        },
        {
          name: "message",
          kind: "template",
          about: "text with `${info.name}`, `${rule.name}` or `{name}` in it",
          default: "${rule.name}: ${info.name}",
        },
        { name: "body", kind: "anything", about: "of `generic`: the JSON to send instead" },
        {
          name: "once",
          kind: "flag",
          about: "tells of a torrent once for each rule, as far back as the program remembers",
          default: true,
        },
      ],
      event: true,
      example: { service: "ntfy", url: "https://ntfy.sh/my-topic", message: "Finished: ${info.name}" },
      plan: (params, subject, rule) => {
        if (params.flag("once") && subject.world.wasTold?.(rule, subject.actual.hash) === true)
          return { skip: "this rule has told of it before" };
        const service = params.text("service");
        const text = params.template("message").render(subject, { rule });
        const message: Notification = {
          service: service === "discord" || service === "slack" || service === "ntfy" ? service : "generic",
          url: params.optionalText("url"),
          text,
          body: mapTexts(params.anything("body"), (template) =>
            params.renderText(template, { subject, rule }),
          ),
        };
        return { operation: { kind: "notify", message }, before: null, after: text };
      },
    },
    {
      name: "webhook",
      about: "sends JSON to a URL",
      params: [
        { name: "url", kind: "text", required: true, about: "where to" },
        {
          name: "body",
          kind: "anything",
          about: "the JSON",
          default: { hash: "${info.hash}", name: "${info.name}", rule: "${rule.name}" },
        },
      ],
      event: true,
      example: { url: "http://hooks.example.org/done", body: { torrent: "${info.hash}" } },
      plan: (params, subject, rule) => {
        const body = mapTexts(params.anything("body"), (template) =>
          params.renderText(template, { subject, rule }),
        );
        return { operation: { kind: "webhook", url: params.text("url"), body }, before: null, after: body };
      },
    },
    {
      name: "arr_blocklist",
      about: "has Sonarr or Radarr blocklist the release and look for another one",
      params: [
        {
          name: "service",
          kind: { choice: ["sonarr", "radarr"] },
          required: true,
          about: "whose queue it is in",
        },
        { name: "url", kind: "text", about: "its URL; without it the configured one" },
        { name: "api_key", kind: "text", about: "its key; without it the configured one" },
        {
          name: "remove_from_client",
          kind: "flag",
          about:
            "lets it remove the torrent and its data, under the guards of `safety`; not where another torrent uses the data",
          default: false,
        },
        { name: "search", kind: "flag", about: "looks for another release", default: true },
      ],
      event: true,
      example: { service: "sonarr", search: true },
      plan: (params) => {
        const request: BlocklistRequest = {
          service: params.text("service") === "radarr" ? "radarr" : "sonarr",
          url: params.optionalText("url"),
          apiKey: params.optionalText("api_key"),
          removeFromClient: params.flag("remove_from_client"),
          search: params.flag("search"),
        };
        return { operation: { kind: "arrBlocklist", request }, before: null, after: "blocklisted" };
      },
    },
  ];
}
