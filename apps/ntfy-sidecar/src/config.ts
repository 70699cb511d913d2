import { type ConfigOf, declareSettings, qbitSettings, setting } from "@qbit-sidecars/config";
import { serviceSettings, stateDirSetting } from "@qbit-sidecars/service";
import { parseQuietHours } from "./quiet-hours.ts";
import { templateProblem } from "./templates.ts";
import { routesProblem, topicProblem } from "./topics.ts";

/** Where health, status and metrics are served unless told otherwise. */
export const defaultHealthAddr = ":9103";

const priorities = ["1", "2", "3", "4", "5", "min", "low", "default", "high", "max", "urgent"] as const;

/** A priority as ntfy's number or word. */
export type PriorityWord = (typeof priorities)[number];

const priority = (name: string, fallback: PriorityWord, about: string) =>
  setting.choice({ env: [name], values: priorities, default: fallback, about, group: "ntfy" });

const notify = (name: string, on: boolean, about: string) =>
  setting.toggle({ env: [name], default: on, about, group: "What is told" });

const words = (name: string, about: string) => setting.list({ env: [name], about, group: "Which torrents" });

const template = (name: string, about: string) => setting.text({ env: [name], about, group: "Texts" });

/**
 * Every setting of ntfy-sidecar. QBIT_HOST, QBIT_USER, QBIT_PASS and NTFY_TOPIC are the seed's; NTFY_SERVER,
 * NTFY_USER, NTFY_PASS, NTFY_PRIORITY_*, NOTIFY_COMPLETE, PROGRESS_FORMAT and POLL_INTERVAL its successor's.
 */
export const settings = declareSettings(
  {
    // Whoever knows a topic's name on ntfy.sh can read and write it.
    ntfyTopic: setting.secret({
      env: ["NTFY_TOPIC"],
      group: "ntfy",
      defaultText: "required",
      about: "Topic to publish to, by its name or its whole URL (https://ntfy.example.org/downloads).",
    }),
    ntfyServer: setting.url({
      env: ["NTFY_SERVER"],
      group: "ntfy",
      default: "https://ntfy.sh",
      about: "ntfy server, where NTFY_TOPIC is a bare name.",
    }),
    ntfyToken: setting.secret({
      env: ["NTFY_TOKEN"],
      group: "ntfy",
      about: "Access token (tk_…); wins over user and password.",
    }),
    ntfyUser: setting.text({
      env: ["NTFY_USER"],
      group: "ntfy",
      about: "User name, where the server wants one.",
    }),
    ntfyPass: setting.secret({ env: ["NTFY_PASS"], group: "ntfy", about: "Password of that user." }),
    ntfyTimeout: setting.duration({
      env: ["NTFY_TIMEOUT"],
      group: "ntfy",
      unit: "s",
      default: "10s",
      min: "100ms",
      max: "1m",
      about: "How long ntfy may take for one answer.",
    }),
    priorityProgress: priority(
      "NTFY_PRIORITY_PROGRESS",
      "2",
      "Priority of progress; 3 and above make a sound.",
    ),
    priorityComplete: priority("NTFY_PRIORITY_COMPLETE", "4", "Priority of a completed download."),
    priorityAlert: priority("NTFY_PRIORITY_ALERT", "4", "Priority of errors, stalls and a full disk."),
    priorityInfo: priority("NTFY_PRIORITY_INFO", "2", "Priority of added and removed torrents."),
    ntfyClick: template(
      "NTFY_CLICK",
      "Link opened by a tap, such as https://qb.example.org/#/torrent/{hash}.",
    ),
    ntfyRoutes: setting.secret({
      env: ["NTFY_ROUTES"],
      group: "ntfy",
      about: "Other topics for some torrents: category=topic or tag:name=topic; the first match wins.",
    }),
    inPlace: setting.choice({
      env: ["NTFY_IN_PLACE"],
      group: "ntfy",
      values: ["auto", "always", "never"],
      default: "auto",
      about:
        "Whether a card is updated in place. `never` suits iPhones, whose app cannot: progress is then told once, at half.",
    }),
    ntfyBurst: setting.integer({
      env: ["NTFY_BURST"],
      group: "ntfy",
      default: 60,
      min: 1,
      about: "How many requests the server takes at once (its visitor-request-limit-burst).",
    }),
    ntfyRefill: setting.duration({
      env: ["NTFY_REFILL"],
      group: "ntfy",
      unit: "s",
      default: "5s",
      about: "How long until it takes one more (its visitor-request-limit-replenish).",
    }),
    ntfyDailyLimit: setting.integer({
      env: ["NTFY_DAILY_LIMIT"],
      group: "ntfy",
      min: 0,
      defaultText: "250 on ntfy.sh, else 0",
      about:
        "Messages a day the server takes, 0 for no limit; progress leaves the last fifth to what matters.",
    }),
    instance: setting.text({
      env: ["INSTANCE"],
      default: "",
      emptyIs: "value",
      pattern: { regex: /^\w{0,10}$/, means: "up to 10 letters, digits and _" },
      about: "Keeps the cards of two qBittorrents apart that publish to one topic.",
    }),
    ...qbitSettings({ url: { env: ["QBIT_HOST"], default: "http://localhost:8080" } }),
    pollInterval: setting.duration({
      env: ["POLL_INTERVAL"],
      unit: "s",
      default: "5s",
      min: "100ms",
      max: "10m",
      about: "How often qBittorrent is asked while a torrent is tracked; one question for all of them.",
    }),
    discover: setting.toggle({
      env: ["DISCOVER"],
      default: false,
      about: "Find added torrents without a hook, by asking qBittorrent all the time.",
    }),
    notifyProgress: notify("NOTIFY_PROGRESS", true, "Progress of a download, quietly, in place."),
    notifyComplete: notify("NOTIFY_COMPLETE", true, "A download is complete."),
    notifyAdded: notify("NOTIFY_ADDED", false, "A torrent was added."),
    notifyStalled: notify("NOTIFY_STALLED", false, "A download has not moved for STALLED_AFTER."),
    notifyError: notify("NOTIFY_ERROR", true, "A tracked torrent has an error or misses files."),
    notifyRemoved: notify("NOTIFY_REMOVED", false, "A download was removed before it was complete."),
    diskLow: setting.size({
      env: ["DISK_LOW"],
      group: "What is told",
      unit: "GB",
      about:
        "Tell when the disk of the default save path has less than this free; asks qBittorrent all the time.",
    }),
    stalledAfter: setting.duration({
      env: ["STALLED_AFTER"],
      group: "What is told",
      unit: "min",
      default: "30m",
      min: "1m",
      about: "How long without a byte counts as stalled.",
    }),
    progressFormat: setting.choice({
      env: ["PROGRESS_FORMAT"],
      group: "Texts",
      values: ["bar", "percent"],
      default: "bar",
      about: "Bar, speed and ETA, or only the percentage.",
    }),
    progressStep: setting.integer({
      env: ["PROGRESS_STEP"],
      group: "What is told",
      default: 25,
      min: 1,
      max: 100,
      about: "Tell progress at each so many percent; 1 is the most, and costs 100 messages for each torrent.",
    }),
    progressInterval: setting.duration({
      env: ["PROGRESS_INTERVAL"],
      group: "What is told",
      unit: "s",
      default: "10s",
      about: "Least time between two updates of one card.",
    }),
    progressCards: setting.integer({
      env: ["PROGRESS_CARDS"],
      group: "What is told",
      default: 10,
      min: 1,
      about:
        "How many torrents may have a progress card at the same time; the others only tell their completion.",
    }),
    burstLimit: setting.integer({
      env: ["BURST_LIMIT"],
      group: "What is told",
      default: 5,
      min: 1,
      about: "More notices of one kind than this within a minute become one summary. Completions never do.",
    }),
    quietHours: setting.text({
      env: ["QUIET_HOURS"],
      group: "What is told",
      about:
        "Hours without a sound, such as 22:00-07:00, in the time zone of TZ; all is told, at priority 2.",
    }),
    categories: words("NOTIFY_CATEGORIES", "Only torrents of these categories."),
    categoriesExcluded: words("NOTIFY_CATEGORIES_EXCLUDE", "Not torrents of these categories."),
    tags: words("NOTIFY_TAGS", "Only torrents with one of these tags."),
    tagsExcluded: words("NOTIFY_TAGS_EXCLUDE", "Not torrents with one of these tags."),
    titleProgress: template("TITLE_PROGRESS", "Title of progress."),
    messageProgress: template(
      "MESSAGE_PROGRESS",
      "Text of progress, such as {percent} {bar} at {speed}, {eta} left.",
    ),
    titleComplete: template("TITLE_COMPLETE", "Title of a completed download."),
    messageComplete: template(
      "MESSAGE_COMPLETE",
      "Text of it; {name}, {category}, {tags}, {size}, {path} are filled in.",
    ),
    listenAddr: setting.address({
      env: ["LISTEN_ADDR"],
      default: "127.0.0.1:9090",
      about:
        "Where POST /track and /done are served; :9090 with TRACK_TOKEN for containers of different networks.",
    }),
    trackToken: setting.secret({
      env: ["TRACK_TOKEN"],
      // qBittorrent splits a hook's command at quotes, and fills in what follows a percent sign.
      pattern: { regex: /^[ !#$&-[\]-~]+$/, means: 'printable ASCII without ", % and \\' },
      about: "Shared secret that hooks send as `Authorization: Bearer …` or `?token=…`.",
    }),
    installHooks: setting.toggle({
      env: ["INSTALL_HOOKS"],
      default: false,
      about: "Put the hooks into qBittorrent's settings at the start, where none is set.",
    }),
    hookUrl: setting.url({
      env: ["HOOK_URL"],
      default: "http://localhost:9090",
      about: "Address of this service as qBittorrent sees it, for the hooks.",
    }),
    ...stateDirSetting("/var/lib/ntfy-sidecar"),
    ...serviceSettings({ healthAddr: defaultHealthAddr }),
  },
  [
    {
      of: ["ntfyTopic"],
      check: ({ ntfyTopic }) => {
        if (ntfyTopic === undefined)
          return { wrong: "Missing ENV: NTFY_TOPIC", right: "the name of a topic, or its URL" };
        const problem = topicProblem(ntfyTopic.reveal());
        return problem === undefined
          ? undefined
          : { wrong: problem, right: "the name of a topic, or its URL" };
      },
    },
    {
      of: ["qbitUser", "qbitPass", "qbitApiKey"],
      check: ({ qbitUser, qbitPass, qbitApiKey }) =>
        qbitUser !== undefined && qbitPass === undefined && qbitApiKey === undefined
          ? { wrong: "Missing ENV: QBIT_PASS", right: "the password of QBIT_USER, or neither of them" }
          : undefined,
    },
    {
      of: ["ntfyUser", "ntfyPass", "ntfyToken"],
      check: ({ ntfyUser, ntfyPass, ntfyToken }) =>
        ntfyUser !== undefined && ntfyPass === undefined && ntfyToken === undefined
          ? { wrong: "Missing ENV: NTFY_PASS", right: "the password of NTFY_USER, or NTFY_TOKEN" }
          : undefined,
    },
    {
      of: ["quietHours"],
      check: ({ quietHours }) =>
        quietHours !== undefined && parseQuietHours(quietHours) === undefined
          ? { wrong: "it is not a span of hours", right: "a span such as 22:00-07:00" }
          : undefined,
    },
    {
      of: ["ntfyRoutes"],
      check: ({ ntfyRoutes }) => {
        const wrong = routesProblem(ntfyRoutes?.reveal());
        return wrong === undefined ? undefined : { wrong, right: "category=topic or tag:name=topic" };
      },
    },
    {
      of: ["titleProgress", "messageProgress", "titleComplete", "messageComplete", "ntfyClick"],
      check: ({ titleProgress, messageProgress, titleComplete, messageComplete, ntfyClick }) => {
        const wrong = [titleProgress, messageProgress, titleComplete, messageComplete, ntfyClick]
          .map(templateProblem)
          .find((problem) => problem !== undefined);
        return wrong === undefined
          ? undefined
          : { wrong, right: "names of those in the README, such as {name} and {percent}" };
      },
    },
  ],
);

export type Config = ConfigOf<typeof settings>;
