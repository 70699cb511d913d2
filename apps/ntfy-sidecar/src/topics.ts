/** Where to publish: the server without a slash at the end, and a topic on it. */
export type TopicAddress = { server: string; topic: string };

const topicPattern = /^[-_A-Za-z0-9]{1,64}$/;

// ntfy refuses these (server.go, disallowedTopics).
const reserved = new Set([
  "docs",
  "static",
  "file",
  "app",
  "metrics",
  "account",
  "settings",
  "signup",
  "login",
  "v1",
]);

/** `downloads` on `server`, or `https://ntfy.example.org/downloads` as it is. */
export function topicAddress(text: string, server: string): TopicAddress {
  const trimmed = text.trim().replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  if (!/^https?:\/\//i.test(trimmed)) return { server: server.replace(/\/+$/, ""), topic: trimmed };
  return { server: trimmed.slice(0, slash), topic: trimmed.slice(slash + 1) };
}

/** Why a topic cannot be published to; undefined when it can. */
export function topicProblem(text: string): string | undefined {
  if (/^https?:\/\//i.test(text.trim())) {
    const url = URL.parse(text.trim());
    if (url === null) return "it is not a URL";
    if (url.username !== "" || url.password !== "")
      return "it holds credentials, which belong in NTFY_USER and NTFY_PASS";
    if (url.search !== "" || url.hash !== "") return "it has something after the topic's name";
  }
  const { server, topic } = topicAddress(text, "https://ntfy.invalid");
  if (!/^https?:\/\/[^/]/i.test(server)) return "it is a URL without a topic";
  if (!topicPattern.test(topic))
    return "the topic has other characters than letters, digits, - and _, or more than 64";
  if (reserved.has(topic)) return `ntfy keeps the name ${topic} for itself`;
  // Subscribers, not publishers, are charged for these, and their content is taken as binary (ntfy, UnifiedPush).
  if (/^up[A-Za-z0-9]{12}$/.test(topic)) return "up and 12 characters is the form of UnifiedPush topics";
  return undefined;
}

/** One entry of NTFY_ROUTES: torrents of a category, or with a tag, go to another topic. */
export type Route = { by: "category" | "tag"; value: string; topic: string };

/** Reads `category=topic,tag:name=topic`. */
export function parseRoutes(text = ""): Route[] {
  return entries(text).map((entry) => {
    const at = entry.lastIndexOf("=");
    const left = entry.slice(0, at).trim();
    const topic = entry.slice(at + 1).trim();
    return left.startsWith("tag:")
      ? { by: "tag", value: left.slice("tag:".length), topic }
      : { by: "category", value: left, topic };
  });
}

/** Why routes cannot be used; undefined when they can. */
export function routesProblem(text = ""): string | undefined {
  if (entries(text).some((entry) => !entry.includes("="))) return "an entry has no =";
  return parseRoutes(text)
    .map(({ topic }) => topicPattern.test(topic) && topicProblem(topic) === undefined)
    .every(Boolean)
    ? undefined
    : "an entry ends with something that is not the name of a topic";
}

function entries(text: string): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
