import type { Config, PriorityWord } from "./config.ts";
import { Ntfy } from "./ntfy.ts";
import type { Limits } from "./pace.ts";
import { defaultTexts, type NoticePolicy } from "./plan-notices.ts";
import { parseQuietHours } from "./quiet-hours.ts";
import { parseRoutes, type TopicAddress, topicAddress } from "./topics.ts";

/** The ntfy server that the settings name. */
export function openNtfy(config: Config): Ntfy {
  return new Ntfy({
    server: topicOf(config).server,
    token: config.ntfyToken?.reveal(),
    username: config.ntfyUser,
    password: config.ntfyPass?.reveal(),
    timeoutMs: config.ntfyTimeout,
  });
}

/** Server and topic: a topic that is a URL names its server. */
export function topicOf({ ntfyTopic, ntfyServer }: Config): TopicAddress {
  return topicAddress(ntfyTopic?.reveal() ?? "", ntfyServer);
}

const words: Readonly<Record<string, number>> = { min: 1, low: 2, default: 3, high: 4, max: 5, urgent: 5 };

export function priorityOf(word: PriorityWord): number {
  return words[word] ?? Number(word);
}

export function limitsOf(config: Config): Limits {
  const isPublic = new URL(topicOf(config).server).hostname === "ntfy.sh";
  return {
    burst: config.ntfyBurst,
    refillMs: config.ntfyRefill,
    daily: config.ntfyDailyLimit ?? (isPublic ? 250 : 0),
  };
}

export function noticePolicy(config: Config): NoticePolicy {
  const percentOnly = config.progressFormat === "percent";
  return {
    topic: topicOf(config).topic,
    routes: parseRoutes(config.ntfyRoutes?.reveal()),
    instance: config.instance,
    tell: {
      complete: config.notifyComplete,
      added: config.notifyAdded,
      stalled: config.notifyStalled,
      error: config.notifyError,
      removed: config.notifyRemoved,
    },
    priorities: {
      progress: priorityOf(config.priorityProgress),
      complete: priorityOf(config.priorityComplete),
      alert: priorityOf(config.priorityAlert),
      info: priorityOf(config.priorityInfo),
    },
    quietHours: config.quietHours === undefined ? undefined : parseQuietHours(config.quietHours),
    categories: config.categories ?? [],
    categoriesExcluded: config.categoriesExcluded ?? [],
    tags: config.tags ?? [],
    tagsExcluded: config.tagsExcluded ?? [],
    texts: {
      titleProgress: config.titleProgress ?? defaultTexts.titleProgress,
      messageProgress:
        config.messageProgress ?? (percentOnly ? "Progress: {percent}" : defaultTexts.messageProgress),
      titleComplete: config.titleComplete ?? defaultTexts.titleComplete,
      messageComplete: config.messageComplete ?? defaultTexts.messageComplete,
    },
    click: config.ntfyClick,
    burstLimit: config.burstLimit,
  };
}
